using Dreambooth.Lab.Miniature.Proof;

namespace Dreambooth.Lab.Tests.Miniature.Proof;

public class ProofReportTests
{
    private static ProofReport Report(double kind = 0.985, double art = 0.98, double psnr = 34, double atOne = 0.5) => new(
        300, 28, 4, psnr,
        [new("kind", kind, 0.99, 300), new("colour", 0.98, 0.97, 240), new("pattern", 0.94, 0.98, 177), new("pose", 0.99, 1, 202),
            new("accessory", 0.96, 0.99, 300), new("scene", 0.98, 0.98, 300), new("property", 0.98, 0.99, 300), new("art", art, 0.99, 90)],
        [new(1, atOne, 0.5, 0.5, 0.5, 0.5), new(4, 0.8, 0.8, 0.8, 0.8, 0.8)]);

    [Fact]
    public void Shortfalls_AllMet_AreNone() => Assert.Empty(Report().Shortfalls());

    [Fact]
    public void Shortfalls_Missed_AreNamedOneByOne()
    {
        var missed = Report(kind: 0.979, art: 0.97, psnr: 33.5, atOne: 0.9).Shortfalls();
        Assert.Equal(4, missed.Count);
        Assert.Contains(missed, sentence => sentence.StartsWith("kind", StringComparison.Ordinal));
        Assert.Contains(missed, sentence => sentence.StartsWith("art", StringComparison.Ordinal));
        Assert.Contains(missed, sentence => sentence.Contains("dB", StringComparison.Ordinal));
        Assert.Contains(missed, sentence => sentence.Contains("guidance", StringComparison.Ordinal));
    }

    [Fact]
    public void ToMarkdown_Report_HoldsRatesAndThresholds()
    {
        var text = Report().ToMarkdown();
        Assert.Contains("| kind | 98.5 % | 98 % | 99.0 % | 300 |", text, StringComparison.Ordinal);
        Assert.Contains("| 4 | 80.0 % |", text, StringComparison.Ordinal);
    }
}
