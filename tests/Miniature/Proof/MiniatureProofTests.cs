using Dreambooth.Lab.Miniature.Proof;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Miniature.Proof;

/// <summary>
/// The miniature that ships, read by its classifier. The whole proof takes minutes and runs by name
/// (<c>dotnet test tests --filter Category=Proof</c>); the quick form runs always, on fewer pictures with fewer steps and looser bounds.
/// </summary>
public class MiniatureProofTests(ITestOutputHelper output)
{
    private static ProofOptions Shipped { get; } = new()
    {
        Model = Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini"),
        Classifier = Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini-classifier"),
    };

    [Fact]
    [Trait("Category", "Proof")]
    public void Run_ThreeHundredCombinations_MeetsEveryThreshold()
    {
        var report = Run(Shipped with { GuidanceSweep = [1, 2, 4, 7], SweepCombinations = 40 });
        Assert.All(
            report.Rates,
            rate => Assert.True(rate.Drawn >= 0.95, $"the classifier reads {rate.Attribute} of painted pictures right in {rate.Drawn:P1}"));
        Assert.Empty(report.Shortfalls());
        Assert.True(
            report.Guidance.Single(
                rate => rate.GuidanceScale == 4).Adherence > report.Guidance.Single(rate => rate.GuidanceScale == 1).Adherence);
    }

    [Fact]
    public void Run_FewCombinations_FollowsCaptions()
    {
        var report = Run(Shipped with { Combinations = 16, Steps = 12, GuidanceSweep = [], VaePictures = 12, BatchSize = 16 });
        Assert.InRange(report.Psnr, 27, 60);
        Assert.True(report.RateOf("kind").Drawn >= 0.9);
        Assert.True(report.RateOf("kind").Generated >= 0.6);
        Assert.True(report.RateOf("scene").Generated >= 0.5);
        Assert.True(report.RateOf("colour").Generated >= 0.5);
    }

    private ProofReport Run(ProofOptions options)
    {
        var report = MiniatureProof.Run(options);
        output.WriteLine(report.ToMarkdown());
        return report;
    }
}
