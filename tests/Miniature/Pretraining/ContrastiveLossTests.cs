using Dreambooth.Lab.Miniature.Pretraining;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Miniature.Pretraining;

public class ContrastiveLossTests
{
    [Fact]
    public void Partners_OfTwoIndividuals_AreTheirOtherThreeViews()
    {
        using var scope = NewDisposeScope();
        var partners = ContrastiveLoss.Partners(2, 0.5, CPU);
        // Row 0: view 0 of picture 0 of individual 0. Its picture's other view is row 4, its other picture's views are rows 2 and 6.
        Assert.Equal([0, 0, 0.25f, 0, 0.5f, 0, 0.25f, 0], partners[0].data<float>().ToArray());
        // Row 7: view 1 of picture 1 of individual 1.
        Assert.Equal([0, 0.25f, 0, 0.5f, 0, 0.25f, 0, 0], partners[7].data<float>().ToArray());
        Assert.True(partners.sum(1).allclose(ones(8)));
        Assert.True(partners.allclose(partners.t()));
    }

    [Fact]
    public void OfIndividuals_PartnersAlikeAndOthersOpposite_IsNearTheLeast()
    {
        using var scope = NewDisposeScope();
        var partners = ContrastiveLoss.Partners(2, 1 / 3.0, CPU);
        var apart = tensor(Enumerable.Range(0, 8).SelectMany(row => new[] { row % 2 == 0 ? 5f : -3f, 0 }).ToArray(), [8, 2]);
        // Three partners with the same cosine 1 and four others at −1: ln(3 + 4 exp(−2 / 0.1)).
        Assert.Equal(Math.Log(3), ContrastiveLoss.OfIndividuals(apart, partners, 0.1).item<float>(), 1e-4);
        Assert.Equal(Math.Log(7), ContrastiveLoss.OfIndividuals(ones(8, 2), partners, 0.1).item<float>(), 1e-4);
    }

    [Fact]
    public void OfPairs_OwnTextsAlone_IsCrossEntropyOfTheCosines()
    {
        using var scope = NewDisposeScope();
        var images = eye(3) * 7;
        var expected = Math.Log(1 + (2 * Math.Exp(-1 / 0.5)));
        Assert.Equal(expected, ContrastiveLoss.OfPairs(images, eye(3), 0.5).item<float>(), 1e-5);
        Assert.True(ContrastiveLoss.OfPairs(images, eye(3).roll(1, 0), 0.5).item<float>() > expected + 1);
    }

    [Fact]
    public void Rate_OwnPartnerSecond_IsFoundAmongTwo()
    {
        using var scope = NewDisposeScope();
        var queries = tensor(new float[,] { { 1, 0 }, { 0, 2 } });
        var candidates = tensor(new float[,] { { 0.6f, 0.8f }, { 0.8f, 0.6f } });
        Assert.Equal(0, Retrieval.Rate(queries, candidates));
        Assert.Equal(1, Retrieval.Rate(queries, candidates, 2));
        Assert.Equal(1, Retrieval.Rate(queries, candidates.flip(0)));
    }
}
