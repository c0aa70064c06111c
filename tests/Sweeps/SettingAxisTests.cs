using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Tests.Sweeps;

public sealed class SettingAxisTests
{
    private static GenerateConfig Config { get; } = new() { PretrainedModelNameOrPath = "model", Prompt = "a cat" };

    [Fact]
    public void Variants_TwoAxes_AreEveryCombinationTheLastFastest()
    {
        var variants = SettingAxis.Variants(Config with { Axis = ["guidance_scale=3, 7.5", "sampler=euler,Heun"], NumImages = 2 });

        Assert.Equal(
            [(3, SamplerKind.Euler), (3, SamplerKind.Heun), (7.5, SamplerKind.Euler), (7.5, SamplerKind.Heun)],
            variants.Select(variant => (variant.Guidance, variant.Sampler)));
        Assert.All(variants, variant => Assert.Equal((2, 0, "a cat"), (variant.NumImages, variant.Axis.Count, variant.Prompt)));
    }

    [Fact]
    public void Variants_TextsWithCommas_AreDividedByBars()
    {
        var variants = SettingAxis.Variants(Config with { Axis = ["negative_prompt=|blurry, dark", "skip_guidance_layers=0,1|2"] });

        Assert.Equal(
            [(null, "0,1"), (null, "2"), ("blurry, dark", "0,1"), ("blurry, dark", "2")],
            variants.Select(variant => (variant.NegativePrompt, variant.SkipGuidanceLayers)));
    }

    [Theory]
    [InlineData("guidance", "axis is 'guidance'; valid is NAME=VALUE,VALUE")]
    [InlineData("guidence=3,5", "axis has 'guidence', which cannot vary within a run; nearest are guidance")]
    [InlineData("seed=1,2", "axis has 'seed', which cannot vary within a run; num_images has")]
    [InlineData("guidance=3,x", "guidance is 'x'; valid is a number, at least 0")]
    [InlineData("guidance=3,,5", "axis has an empty value of guidance")]
    [InlineData("guidance=3,3.0", "axis has a value of guidance twice")]
    [InlineData("strength=0.3,0.6", "image is needed")]
    [InlineData("lora_scale=0.5,1", "axis has lora_scale, which needs a LoRA")]
    [InlineData("guidance_start=0,0.9", "guidance_start is 0.9, behind guidance_end, 0.5")]
    public void Validate_AxisThatIsNone_NamesWhatIsWrong(string axis, string message)
    {
        var config = Config with { Axis = [axis], GuidanceEnd = 0.5 };

        Assert.Contains(message, Assert.Throws<LabException>(config.Validate).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_AnAxisTwice_IsTold()
    {
        var config = Config with { Axis = ["guidance=1,2", "guidance_scale=3"] };

        Assert.Contains("axis has guidance twice", Assert.Throws<LabException>(config.Validate).Message, StringComparison.Ordinal);
    }
}
