using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Miniature.Proof;

namespace Dreambooth.Lab.Tests.Miniature.Proof;

public class JudgeReportTests
{
    private static readonly JudgeReport Good = new(
        "two encoders", 0.9, [.. Enumerable.Range(0, 9).Select(i => Stage(i * 50, 0.5 + (0.01 * i), 0.6 + (0.02 * i)))],
        new CopyReading(0.9, 0.95, 0.99, 11, 12), new CopyReading(0.9, 0.8, 0.89, 0, 12), Drift(0, 0.4), Drift(0.2, 0.5), Drift(0.6, 0.8),
        Around(0.4), Around(0.3));

    [Fact]
    public void Shortfalls_AllClaimsHold_AreNone() => Assert.Empty(Good.Shortfalls());

    [Fact]
    public void FidelityCorrelation_OfTheModelAsItIs_IsNotCounted()
    {
        Assert.Equal(1, Good.FidelityCorrelation, 1e-12);
        Assert.Equal(1, (Good with { Stages = [Stage(0, 9, 0), .. Good.Stages.Skip(1)] }).FidelityCorrelation, 1e-12);
    }

    [Theory]
    [InlineData("7 checkpoints")]
    [InlineData("rank correlation is -1.00")]
    [InlineData("6 of 12 overtrained")]
    [InlineData("1 of 12 pictures of the shipped")]
    [InlineData("drift 0.600 without prior preservation, 0.200 with it")]
    [InlineData("PRES 0.800 without prior preservation, 0.500 with it")]
    public void Shortfalls_OneMissed_NameIt(string expected)
    {
        var report = expected switch
        {
            "7 checkpoints" => Good with { Stages = [.. Good.Stages.Take(8)] },
            "rank correlation is -1.00" => Good with { Stages = [.. Good.Stages.Select(stage => stage with { Classifier = -stage.Dino })] },
            "6 of 12 overtrained" => Good with { Overtrained = Good.Overtrained with { Copies = 6 } },
            "1 of 12 pictures of the shipped" => Good with { Shipped = Good.Shipped with { Copies = 1 } },
            "drift 0.600 without prior preservation, 0.200 with it" => Good with { MoreDrift = Around(0.04) },
            _ => Good with { MoreSubject = Around(-0.2) },
        };
        Assert.Contains(expected, Assert.Single(report.Shortfalls()), StringComparison.Ordinal);
    }

    [Fact]
    public void ToMarkdown_OfAll_HasEveryFigure()
    {
        var text = Good.ToMarkdown();
        Assert.Contains("| 400 | 0.580 | 0.300 | 0.250 | 0.760 | 100 % |", text, StringComparison.Ordinal);
        Assert.Matches(@"over 8 checkpoints:\s+DINO 1\.00", text);
        Assert.Contains("| overtrained on purpose | 0.900 | 0.950 | 0.990 | 11 of 12 |", text, StringComparison.Ordinal);
        Assert.Contains("| without prior preservation | 0.600 (0.550 to 0.650) | 0.800 (0.750 to 0.850) |", text, StringComparison.Ordinal);
    }

    private static CheckpointScores Stage(int step, double dino, double classifier) => new(step, dino, 0.3, 0.25, classifier, 1);

    private static DriftReading Drift(double distance, double preservation) => new(Around(distance), Around(preservation));

    private static ScoreInterval Around(double mean) => new(mean, mean - 0.05, mean + 0.05, 12);
}
