using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Schedulers;

public sealed class LossWeightingTests
{
    public static TheoryData<GoldenCase> Weightings => GoldenSet.KeyCases("density", @"^(?<case>loss_weighting\.[a-z_]+)$");

    [Theory]
    [MemberData(nameof(Weightings))]
    [Trait("Category", "Parity")]
    public void For_GoldenSigmas_GivesTheWeights(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var scheme = OptionText.Parse<WeightingScheme>("weighting_scheme", golden.Key!["loss_weighting.".Length..]);
        var weights = LossWeighting.For(scheme, GoldenSet.Load(golden.Folder, golden.File, "sigmas"));
        GoldenAssert.Close(GoldenSet.Load(golden.Folder, golden.File, golden.Key), weights, 1e-7);
    }

    [Fact]
    public void For_ShapeOfABatch_IsKept()
    {
        using var scope = NewDisposeScope();
        var weights = LossWeighting.For(WeightingScheme.Cosmap, full([2, 1, 1, 1], 0.5f));
        Assert.Equal([2L, 1, 1, 1], weights.shape);
        Assert.Equal(4 / Math.PI, weights[0].item<float>(), 1e-6);
    }
}
