using Dreambooth.Lab.Miniature.Proof;

namespace Dreambooth.Lab.Tests.Miniature.Proof;

public class RankCorrelationTests
{
    [Theory]
    [InlineData(new double[] { 1, 2, 3, 4 }, new double[] { 10, 100, 101, 5000 }, 1)]
    [InlineData(new double[] { 1, 2, 3, 4 }, new double[] { 4, 3, 2, 1 }, -1)]
    // One exchange of neighbours of five: 1 − 6 · 2 / (5 · 24).
    [InlineData(new double[] { 1, 2, 3, 4, 5 }, new double[] { 1, 3, 2, 4, 5 }, 0.9)]
    // Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: 4.5 / sqrt(4.5 · 5).
    [InlineData(new double[] { 1, 2, 2, 4 }, new double[] { 1, 2, 3, 4 }, 0.9486832980505138)]
    public void Spearman_KnownOrders_AreKnown(double[] first, double[] second, double expected) =>
        Assert.Equal(expected, RankCorrelation.Spearman(first, second), 1e-12);

    [Fact]
    public void Spearman_AllEqual_IsNotANumber() => Assert.True(double.IsNaN(RankCorrelation.Spearman([1, 1, 1], [1, 2, 3])));

    [Fact]
    public void Spearman_OtherCounts_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => RankCorrelation.Spearman([1, 2], [1, 2, 3]));
        Assert.Throws<ArgumentException>(() => RankCorrelation.Spearman([1], [1]));
    }
}
