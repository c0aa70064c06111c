using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Sweeps;

public class SweepPresetTests
{
    [Fact]
    public void Named_AnyCase_IsThePreset()
    {
        Assert.Same(SweepPreset.Tiny, SweepPreset.Named("tiny"));
        Assert.Same(SweepPreset.Full, SweepPreset.Named("FULL"));
        Assert.Contains(
            "Tiny, Standard, Full", Assert.Throws<LabException>(() => SweepPreset.Named("huge")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void With_EmptyNames_ChangesNothing() => Assert.Equal(SweepPreset.Standard, SweepPreset.Standard.With("", " "));

    [Fact]
    public void With_AnotherModel_HasNoClassifier()
    {
        var other = SweepPreset.Standard.With("models/other", "my-lora");
        Assert.Equal(("models/other", "my-lora", null), (other.Model, other.Lora, other.Classifier));
        Assert.NotNull(SweepPreset.Standard.With(SweepPreset.Standard.Model, "my-lora").Classifier);
    }

    [Fact]
    public void PromptsOf_TheMiniatureAndOtherModels_AreTheListsForEach()
    {
        Assert.Equal("a watercolour painting of gmc cat", SweepPreset.Standard.PromptsOf("art")[0]);
        Assert.Equal(SweepPreset.Standard.PromptsOf("art"), SweepPreset.Tiny.With(lora: "my-lora").PromptsOf("art"));
        var real = SweepPreset.Full.PromptsOf("art", "sks dog");
        Assert.StartsWith("a cubist portrait of sks dog in the style of Juan Gris", real[0], StringComparison.Ordinal);
        Assert.Equal(24, SweepPreset.Full.Axes(real).Prompts.Count);
        Assert.Equal(real, SweepPreset.Standard.With("stabilityai/stable-diffusion-3.5-medium").PromptsOf("art", "sks dog"));
    }

    [Fact]
    public void Located_ShippedPaths_AreThere()
    {
        var located = SweepPreset.Standard.Located();
        Assert.All([located.Model, located.Lora, located.Classifier, located.Subject], path => Assert.True(Directory.Exists(path), path));
        Assert.Equal(Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini"), located.Model);
    }

    [Fact]
    public void Standard_BeforeAndAfter_IsAtMostSixtyPictures()
    {
        var preset = SweepPreset.Standard;
        var axes = preset.Axes(PromptList.OfFamily("art"));
        Assert.Equal(10, axes.Prompts.Count);
        Assert.InRange(Sweep.Cross("s", axes with { Loras = [null, .. axes.Loras] }).Items.Count, 1, 60);
        Assert.InRange(3 * preset.Scales.Count * preset.Guidances.Count, 1, 60);
    }
}
