using Dreambooth.Lab.Miniature;
using Dreambooth.Lab.Miniature.Pretraining;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Miniature.Pretraining;

public class WeightInitializerTests
{
    [Fact]
    public void Initialize_Transformer_PredictsZeroAtFirst()
    {
        using var scope = NewDisposeScope();
        using var models = new MiniatureModels(MiniatureRecipe.Tiny);
        var sizes = models.Recipe.Transformer;
        var flow = models.Transformer.forward(
            randn(2, 32, 16, 16), tensor(new float[] { 10, 900 }), randn(2, 64, sizes.JointAttentionDim),
            randn(2, sizes.PooledProjectionDim));
        Assert.Equal(0f, flow.abs().max().item<float>());
    }

    [Fact]
    public void Initialize_SameSeed_GivesSameWeights()
    {
        using var scope = NewDisposeScope();
        using MiniatureModels first = new(MiniatureRecipe.Tiny), second = new(MiniatureRecipe.Tiny), other = new(
            MiniatureRecipe.Tiny with { InitSeed = 1 });
        Assert.True(
            first.Vae.Decoder.state_dict().Values.Zip(second.Vae.Decoder.state_dict().Values, (a, b) => a.equal(b).all().item<bool>())
                .All(equal => equal));
        Assert.False(first.T5.Shared.Weight.equal(other.T5.Shared.Weight).all().item<bool>());
    }

    [Fact]
    public void Initialize_AllModels_LeavesNoValueOutOfRange()
    {
        using var scope = NewDisposeScope();
        using var models = new MiniatureModels(MiniatureRecipe.Tiny);
        foreach (var (_, model) in models.DiffusionParts.Append(("vae", models.Vae)))
            Assert.All(
                model.named_parameters(),
                entry => Assert.True(
                    entry.parameter.isfinite().all().item<bool>() && entry.parameter.abs().max().item<float>() < 6, entry.name));
    }

    [Fact]
    public void SinCosTable_Places_DifferByTheirRowsAndColumns()
    {
        using var scope = NewDisposeScope();
        var table = WeightInitializer.SinCosTable(5, 16).view(5, 5, 16);
        var (columns, rows) = (table.narrow(2, 0, 8), table.narrow(2, 8, 8));
        Assert.True(columns[0].allclose(columns[3]));
        Assert.True(rows[TensorIndex.Colon, 0].allclose(rows[TensorIndex.Colon, 4]));
        Assert.Equal((float)Math.Sin(3), table[1, 3, 0].item<float>(), 1e-6f);
        Assert.Equal((float)Math.Cos(2 * Math.Pow(10000, -0.25)), table[2, 0, 13].item<float>(), 1e-6f);
    }
}
