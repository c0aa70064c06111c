using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Miniature;

namespace Dreambooth.Lab.Tests.Miniature;

public class MiniatureRecipeTests
{
    private const long MostBytes = 24_000_000;

    [Fact]
    public void Models_OfTheRecipe_FitInto24MegabytesAsBf16()
    {
        using var models = new MiniatureModels(new MiniatureRecipe());
        long Count(TorchSharp.torch.nn.Module model) => model.parameters().Sum(parameter => parameter.numel());
        var vae = Count(models.Vae);
        var text = Count(models.Clip) + Count(models.Clip2) + Count(models.T5);
        var transformer = Count(models.Transformer);
        Assert.InRange(vae, 5_700_000, 6_200_000);
        Assert.InRange(text, 800_000, 1_100_000);
        Assert.InRange(transformer, 4_500_000, 5_500_000);
        Assert.InRange(2 * (vae + text + transformer), 1, MostBytes);
    }

    [Fact]
    public void Validate_Mismatches_AreAllNamed()
    {
        var recipe = new MiniatureRecipe() with
        {
            PictureSize = 256,
            Transformer = new MiniatureRecipe().Transformer with { PooledProjectionDim = 100, JointAttentionDim = 120 },
            TextWindow = 40,
        };
        var error = Assert.Throws<LabException>(recipe.Validate);
        Assert.Contains("256", error.Message, StringComparison.Ordinal);
        Assert.Contains("pooled_projection_dim is 100", error.Message, StringComparison.Ordinal);
        Assert.Contains("joint_attention_dim 120", error.Message, StringComparison.Ordinal);
        Assert.Contains("window of 40", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tiny_Recipe_IsValid() => MiniatureRecipe.Tiny.Validate();
}
