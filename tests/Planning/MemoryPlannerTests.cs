using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Planning;

public class MemoryPlannerTests
{
    private readonly MemoryPlanner _planner = new(ModelArchitecture.Sd35Medium);

    [Fact]
    public void Forecast_TutorialTraining_CountsLoraGradientsAndMoments()
    {
        var step = _planner.Forecast(MemorySettings.TutorialTraining).Phases.Single(phase => phase.Phase == "step");
        var lora = step.Terms.Single(term => term.Name == "LoRA");
        Assert.True(lora.IsExact);
        Assert.Equal(4 * (2_347_008 + 294_912 + 1_310_720), lora.Bytes);
        Assert.Equal(lora.Bytes, step.Terms.Single(term => term.Name == "gradients").Bytes);
        Assert.Equal(2 * lora.Bytes, step.Terms.Single(term => term.Name == "optimizer state").Bytes);
        Assert.Equal(step.Total, step.Exact + step.Terms.Where(term => !term.IsExact).Sum(term => term.Bytes));
    }

    // The reference's whole script, measured on an H200 in float32: 41.1 GB allocated, which is 38.3 GiB.
    [Fact]
    public void Forecast_TutorialTraining_IsNearTheReferencesOwnRun() =>
        Assert.InRange(
            _planner.Forecast(MemorySettings.TutorialTraining).PeakOf("step")!.Value / (double)ByteSize.GiB, 38.3 * 0.85, 38.3 * 1.15);

    [Fact]
    public void Forecast_Knobs_MoveInTheRightDirection()
    {
        var settings = MemorySettings.TutorialTraining;
        long Step(MemorySettings changed) => _planner.Forecast(changed).PeakOf("step")!.Value;
        var start = Step(settings);
        Assert.True(Step(settings with { Rank = 64 }) > start);
        Assert.True(Step(settings with { Resolution = 1024 }) > start);
        Assert.True(Step(settings with { TrainBatchSize = 2 }) > start);
        Assert.True(Step(settings with { WithPriorPreservation = false }) < start);
        Assert.True(Step(settings with { TrainTextEncoder = false }) < start);
        Assert.True(Step(settings with { GradientCheckpointing = true }) < start);
        Assert.True(Step(settings with { Dtype = ScalarType.BFloat16 }) < start * 6 / 10);
        Assert.Equal(4 * ModelArchitecture.Sd35Medium.Components[4].Parameters, start - Step(settings with { FreeT5 = true }));
    }

    [Fact]
    public void Fit_SmallerCards_NeedMoreChanges()
    {
        var large = _planner.Fit(MemorySettings.TutorialTraining, 80 * ByteSize.GiB)!.Value;
        var middle = _planner.Fit(MemorySettings.TutorialTraining, MemoryPlanner.Usable(24 * ByteSize.GiB))!.Value;
        var small = _planner.Fit(MemorySettings.TutorialTraining, MemoryPlanner.Usable(12 * ByteSize.GiB))!.Value;
        Assert.Empty(large.Changes);
        Assert.Equal(["--memory balanced"], middle.Changes);
        Assert.Equal(["--memory balanced", "mixed_precision bf16"], small.Changes);
        Assert.True(middle.Forecast.Peak <= MemoryPlanner.Usable(24 * ByteSize.GiB));
        Assert.Null(_planner.Fit(MemorySettings.TutorialTraining, ByteSize.GiB));
    }

    [Fact]
    public void ByMode_LowerModes_HoldLess()
    {
        var training = _planner.ByMode(MemorySettings.TutorialTraining);
        Assert.Equal([MemoryMode.Fast, MemoryMode.Balanced, MemoryMode.Low], training.Select(forecast => forecast.Settings.Memory));
        Assert.True(training[0].Peak > training[1].Peak && training[1].Peak > training[2].Peak);

        // Balanced differs from fast by T5 and the autoencoder in the step, where the CLIP encoders are trained; by the CLIP encoders too
        // where not.
        long Bytes(params int[] components) => components.Sum(i => ModelArchitecture.Sd35Medium.Components[i].BytesAs(ScalarType.Float32));
        Assert.Equal(Bytes(1, 4), training[0].PeakOf("step") - training[1].PeakOf("step"));
        Assert.Equal(
            _planner.Forecast(MemorySettings.TutorialTraining with { GradientCheckpointing = true, Memory = MemoryMode.Balanced })
                .PeakOf("step"), training[2].PeakOf("step"));
        var untrained = _planner.ByMode(MemorySettings.TutorialTraining with { TrainTextEncoder = false });
        Assert.Equal(Bytes(1, 2, 3, 4), untrained[0].PeakOf("step") - untrained[1].PeakOf("step"));
    }

    // The aims for four pictures of 1024 pixels in bfloat16: 14 GB, and 7 GB with what is not used out of memory.
    [Fact]
    public void ByMode_FourPicturesInBf16_MeetTheAims()
    {
        var modes = _planner.ByMode(
            MemorySettings.TutorialInference with { SampleBatchSize = 4, Dtype = ScalarType.BFloat16, VaeDtype = ScalarType.BFloat16 });
        Assert.Equal(
            ["fast", "balanced", "low", "low, the transformer block by block"], modes.Select(mode => MemoryChoice.Name(mode.Settings)));
        Assert.True(modes[0].Peak > 14e9);
        Assert.InRange(modes[1].Peak, 5e9, 7e9);
        Assert.True(modes[3].Peak < modes[1].Peak / 2);
        Assert.InRange(modes[0].PeakOf("decode")!.Value - modes[0].PeakOf("load")!.Value, 1e9, 3e9);
    }

    [Fact]
    public void Forecast_ScoringOnAGpu_HasTheEncodersInItsOwnPhaseOnly()
    {
        var (without, with) = WithJudge(onGpu: true);
        Assert.Equal("score", with.Phases[^1].Phase);
        Assert.Equal(without.Phases.Select(phase => phase.Total), with.Phases.SkipLast(1).Select(phase => phase.Total));
        var held = without.Phases.Single(phase => phase.Phase == "step").Exact;
        Assert.Equal(held + (2 * (5_000_000 + 7_000_000)), with.Phases[^1].Exact);
        Assert.Equal(2 * 3_000_000, with.Phases[^1].Total - with.Phases[^1].Exact);
    }

    [Fact]
    public void Forecast_ScoringOnTheCpu_HasTheEncodersAllTheTime()
    {
        var (without, with) = WithJudge(onGpu: false);
        Assert.All(
            without.Phases.Zip(with.Phases),
            pair => Assert.Equal(4 * (5_000_000 + 7_000_000), pair.Second.Total - pair.First.Total));
        var rows = with.Phases[^1].Terms;
        Assert.Equal(4 * 5_000_000, rows.Single(term => term.Name == "DINO weights").Bytes);
        Assert.Equal(4 * 7_000_000, rows.Single(term => term.Name == "CLIP weights").Bytes);
        Assert.Equal(4 * 3_000_000, rows.Single(term => term.Name == "scoring activations").Bytes);
    }

    [Fact]
    public void Forecast_WrongSettings_NamesAllOfThem()
    {
        var error = Assert.Throws<LabException>(() => _planner.Forecast(new MemorySettings { Resolution = 100, Rank = 0 }));
        Assert.Contains("resolution is 100", error.Message, StringComparison.Ordinal);
        Assert.Contains("rank is 0", error.Message, StringComparison.Ordinal);
    }

    private (MemoryForecast Without, MemoryForecast With) WithJudge(bool onGpu) =>
        (_planner.Forecast(MemorySettings.TutorialTraining),
            _planner.Forecast(MemorySettings.TutorialTraining with { Judge = new JudgeSize(5_000_000, 7_000_000, 3_000_000, onGpu) }));
}
