using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Tests.Sweeps;

public sealed class SweepTradeOffTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-tradeoff-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Of_StagesAndScales_GivesMeansAndTheFront()
    {
        var points = SweepTradeOff.Of(Outcome(
            Result(null, 1, 0.5, 1), Result(null, 1, 0.7, 0.8), Result("run/checkpoint-20", 0.5, 0.7, 0.95),
            Result("run/checkpoint-20", 1, 0.7, 0.9), Result("run", 1, 0.9, 0.4)), "f", "a");
        Assert.Equal(["no LoRA", "step 20", "step 20", "final"], points.Select(point => point.Stage));
        Assert.Equal([0, 0.5, 1, 1], points.Select(point => point.Scale));
        Assert.Equal((0.6, 0.9), (points[0].Fidelity, points[0].Adherence));
        Assert.Equal([false, true, false, true], points.Select(point => point.IsBest));
    }

    [Theory]
    [InlineData(0.1, "step 20")]
    [InlineData(0.6, "final")]
    public void Choose_MoreFallAllowed_GoesAlongTheFront(double mostFall, string expected)
    {
        var points = SweepTradeOff.Of(
            Outcome(
                Result(null, 1, 0.5, 1), Result("run/checkpoint-20", 1, 0.7, 0.9), Result("run/checkpoint-40", 1, 0.6, 0.95),
                Result("run", 1, 0.9, 0.4)), "f", "a");
        Assert.Equal(expected, SweepTradeOff.Choose(points, mostFall)!.Stage);
        Assert.Throws<LabException>(() => SweepTradeOff.Choose(points, -1));
    }

    [Fact]
    public void Choose_NoScores_TakesTheEndAtScaleOne()
    {
        var points = SweepTradeOff.Of(
            Outcome(Result(null, 1), Result("run/checkpoint-20", 1), Result("run", 0.5), Result("run", 1)), "f", "a");
        Assert.All(points, point => Assert.False(point.IsScored || point.IsBest));
        var chosen = SweepTradeOff.Choose(points)!;
        Assert.Equal(("final", 1), (chosen.Stage, chosen.Scale));
        Assert.Null(SweepTradeOff.Choose([points[0]]));
    }

    [Fact]
    public void Drift_SamePromptAndNoise_IsTheMeanDifference()
    {
        SweepResult[] results =
        [
            Draw(Result(null, 1) with { Path = "a.png" }, 0), Draw(Result("run", 0.5) with { Path = "b.png" }, 51),
            Draw(Result("run", 1) with { Path = "c.png" }, 255),
        ];
        var drifts = SweepDrift.Of(Outcome(results));
        Assert.Equal([0.2, 1], drifts.Select(drift => drift.Distance));
        Assert.Equal(("final", 0.6), Assert.Single(SweepDrift.By(drifts, SweepAxis.Stage)));
        Assert.Throws<LabException>(() => SweepDrift.Of(Outcome(results[1], results[2])));
    }

    private SweepResult Draw(SweepResult result, byte value)
    {
        ImageEncoder.Save(Path.Combine(_folder, result.Path), new RgbImage(2, 2, [.. Enumerable.Repeat(value, 12)]));
        return result;
    }

    private SweepOutcome Outcome(params SweepResult[] results) => new("test", _folder, results, results.Length, 1);

    private static SweepResult Result(string? lora, double scale, double? fidelity = null, double adherence = 0) => new()
    {
        Path = "x.png",
        Item = new SweepItem { Prompt = "p", Lora = lora, LoraScale = scale },
        Seconds = 1,
        Scores = fidelity is null ? null : new Dictionary<string, double> { ["f"] = fidelity.Value, ["a"] = adherence },
    };
}
