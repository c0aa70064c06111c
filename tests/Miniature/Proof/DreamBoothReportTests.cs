using Dreambooth.Lab.Miniature.Proof;

namespace Dreambooth.Lab.Tests.Miniature.Proof;

public class DreamBoothReportTests
{
    private static readonly DreamBoothCeiling Ceiling = new(
        0.8, 1, 0.79, 1, new Dictionary<string, double> { ["art"] = 0.97 }, new Dictionary<string, double> { ["art"] = 0.83 });

    private static readonly DreamBoothReport Good = new(
        180, 2, Ceiling, Reading(0.4, 0.05, 0.0, 0.9), Reading(0.7, 0.8, 0.1, 0.8),
        Reading(0.7, 0.9, 0.9, 0.7));

    [Fact]
    public void Shortfalls_AllMet_AreNone() => Assert.Empty(Good.Shortfalls());

    [Fact]
    public void Closed_OfThreeQuartersOfTheWay_IsThreeQuarters() => Assert.Equal(0.75, Good.Closed, 9);

    [Theory]
    [InlineData("fidelity")]
    [InlineData("before")]
    [InlineData("show the character; 70")]
    [InlineData("without the identifier")]
    [InlineData("adherence of art")]
    [InlineData("training took")]
    public void Shortfalls_OneMissed_NameIt(string expected)
    {
        var report = expected switch
        {
            "fidelity" => Good with { After = Good.After with { Fidelity = 0.63 } },
            "before" => Good with { Before = Good.Before with { Identity = 0.2 } },
            "show the character; 70" => Good with { After = Good.After with { Identity = 0.69 } },
            "without the identifier" => Good with { After = Good.After with { ClassIdentity = 0.11 } },
            "adherence of art" => Good with { After = Reading(0.7, 0.8, 0.1, 0.79) },
            _ => Good with { Seconds = 241 },
        };
        Assert.Contains(expected, Assert.Single(report.Shortfalls()), StringComparison.Ordinal);
    }

    [Fact]
    public void ToMarkdown_WithoutComparison_HasDashes() =>
        Assert.Contains("| ≤ 10 % | – | – |", (Good with { WithoutPrior = null }).ToMarkdown(), StringComparison.Ordinal);

    [Fact]
    public void ToMarkdown_Families_HaveThePaintersOwnPicturesBeside()
    {
        var text = Good.ToMarkdown();
        Assert.Contains("| adherence, art | 90 % | 80 % | ≥ 80 % | 70 % | 97 % |", text, StringComparison.Ordinal);
        Assert.Contains("| \"this cat\", art | 50 % | 50 % | – | 50 % | 83 % |", text, StringComparison.Ordinal);
    }

    private static DreamBoothReading Reading(double fidelity, double identity, double classIdentity, double adherence) =>
        new(
            fidelity, identity, classIdentity, new Dictionary<string, double> { ["art"] = adherence },
            new Dictionary<string, double> { ["art"] = 0.5 });
}
