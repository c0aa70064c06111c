using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Sweeps;
using static Dreambooth.Lab.Tests.Sweeps.SweepRecords;

namespace Dreambooth.Lab.Tests.Sweeps;

public class SweepAxisTests
{
    [Theory]
    [InlineData("a photo of gmc cat on a beach", "on a beach")]
    [InlineData("an oil painting of gmc cat in a garden", "an oil painting in a garden")]
    [InlineData("a photo of gmc cat", "a photo of gmc cat")]
    public void PromptWithout_SharedTexts_LeavesWhatDiffers(string prompt, string label) =>
        Assert.Equal(label, SweepAxis.PromptWithout("a photo of gmc cat", "of gmc cat").LabelOf(Record(prompt).Item));

    [Fact]
    public void Labels_OfAPicture_NameItsSettings()
    {
        var (with, without) = (Record("a", 0.5, seed: 7, guidance: 3.5).Item, Record("a", null).Item);
        Assert.Equal(("LoRA × 0.5", "no LoRA"), (SweepAxis.LoraScale.LabelOf(with), SweepAxis.LoraScale.LabelOf(without)));
        Assert.Equal(("after", "before"), (SweepAxis.BeforeAfter.LabelOf(with), SweepAxis.BeforeAfter.LabelOf(without)));
        Assert.Equal(("seed 7", "guidance 3.5"), (SweepAxis.Seed.LabelOf(with), SweepAxis.Guidance.LabelOf(with)));
        Assert.Equal("LoRA × 0.5, guidance 3.5", SweepAxis.Setting.LabelOf(with));
        Assert.Equal((0.5, 0), (SweepAxis.ScaleOf(with), SweepAxis.ScaleOf(without)));
        var sampled = with with { Sampler = SamplerKind.DpmPlusPlus2MSde, Sigmas = SigmaSchedule.Karras };
        Assert.Equal(("dpmpp_2m_sde", "karras"), (SweepAxis.Sampler.LabelOf(sampled), SweepAxis.Sigmas.LabelOf(sampled)));
        Assert.Equal(("euler", "model"), (SweepAxis.Sampler.LabelOf(with), SweepAxis.Sigmas.LabelOf(with)));
        var details = new GuidanceConfig { Start = 0.1, End = 0.6, Rescale = 0.7, ZeroStar = true };
        var refined = SweepAxis.GuidanceDetails.LabelOf(with with { GuidanceDetails = details });
        var plain = SweepAxis.GuidanceDetails.LabelOf(with);
        Assert.Equal(("guided 0.1–0.6, rescale 0.7, CFG-Zero*", "plain guidance"), (refined, plain));
        var cached = with with { CacheInterval = 2, SkipGuidanceLayers = "7,8", Strength = 0.5 };
        Assert.Equal(
            ("blocks in every 2. step", "without layers 7,8", "strength 0.5"),
            (SweepAxis.CacheInterval.LabelOf(cached), SweepAxis.SkipGuidanceLayers.LabelOf(cached), SweepAxis.Strength.LabelOf(cached)));
        Assert.Equal(
            ("exact", "all layers", ""),
            (SweepAxis.CacheInterval.LabelOf(with), SweepAxis.SkipGuidanceLayers.LabelOf(with), SweepAxis.Strength.LabelOf(with)));
        Assert.Equal("not: fog", SweepAxis.NegativePrompt.LabelOf(with with { NegativePrompt = "fog" }));
    }
}
