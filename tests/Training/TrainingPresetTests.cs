using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public class TrainingPresetTests
{
    [Theory]
    [InlineData("Tiny")]
    [InlineData("standard")]
    [InlineData("FULL")]
    public void Named_EveryPreset_IsValidAndStopsOnItsWay(string name)
    {
        var preset = TrainingPreset.Named(name);
        preset.Config.Validate();
        Assert.Empty(preset.Config.Notices());
        Assert.InRange(preset.InterruptAt, 1, preset.DropAt);
        Assert.InRange(preset.DropAt, preset.Config.CheckpointingSteps, preset.Steps - 1);
        Assert.True(Path.IsPathFullyQualified(preset.Config.OutputDir));
        Assert.StartsWith("outputs/", preset.ShownConfig.OutputDir, StringComparison.Ordinal);
    }

    [Fact]
    public void With_Knobs_TurnsThoseAlone()
    {
        var preset = TrainingPreset.Standard;
        Assert.Equal(preset, preset.With());
        var turned = preset.With(steps: 80, rank: 2, learningRate: 1e-3);
        Assert.Equal((80, 2, 1e-3, 10), (turned.Steps, turned.Config.Rank, turned.Config.LearningRate, turned.Config.CheckpointingSteps));
        Assert.NotNull(turned.Classifier);
        Assert.Null(preset.With(model: "models/other").Classifier);
        Assert.EndsWith("/models/other", preset.With(model: "models/other").Config.PretrainedModelNameOrPath, StringComparison.Ordinal);
        Assert.Equal("maker/model", preset.With(model: "maker/model").ShownConfig.PretrainedModelNameOrPath);
    }

    [Fact]
    public void Named_Unknown_NamesTheValidOnes() =>
        Assert.Contains("Tiny, Standard and Full", Assert.Throws<LabException>(() => TrainingPreset.Named("huge")).Message, StringComparison.Ordinal);
}
