using Dreambooth.Lab.Sweeps;
using static Dreambooth.Lab.Tests.Sweeps.SweepRecords;

namespace Dreambooth.Lab.Tests.Sweeps;

public class SweepMeanTests
{
    private static readonly SweepResult[] Results =
    [
        Record("b", null, scores: ("x", 0.5)), Record("b", 1, 0, 4, ("x", 0.25), ("y", 1)),
        Record("b", 1, 1, 4, ("x", 0.75), ("y", double.NaN)),
        Record("a", null, scores: ("x", 1)), Record("a", 1, scores: ("x", 0.25)),
    ];

    [Fact]
    public void By_TwoAxes_GivesMeansInOrderOfFirstAppearance()
    {
        var means = SweepMean.By(Results, SweepAxis.Prompt, SweepAxis.BeforeAfter);
        Assert.Equal(
            [("b", "before", 1, 0.5), ("b", "after", 2, 0.5), ("a", "before", 1, 1.0), ("a", "after", 1, 0.25)],
            means.Select(mean => (mean.Row, mean.Column, mean.Count, mean.Scores["x"])));
        Assert.Equal(1, means[1].Scores["y"]);
        Assert.False(means[0].Scores.ContainsKey("y"));
    }

    [Fact]
    public void Over_Unscored_IsEmpty() => Assert.Empty(SweepMean.Over([Record("a"), Record("b")]));

    [Fact]
    public void Lowest_Scores_AreTheWeakestPlacesFirst()
    {
        Assert.Equal(["b", "a"], SweepMean.Lowest(Results, "x", SweepAxis.Prompt, 5));
        Assert.Equal(["b"], SweepMean.Lowest(Results, "x", SweepAxis.Prompt, 1));
        Assert.Equal(["b", "a"], SweepMean.Lowest([Record("b"), Record("a")], "x", SweepAxis.Prompt, 2));
    }

    [Fact]
    public void Falls_BeforeAndAfter_AreTheLargestFirst() =>
        Assert.Equal(["a", "b"], SweepMean.Falls(Results, "x", SweepAxis.Prompt, SweepAxis.BeforeAfter, 2));

    [Fact]
    public void Best_EqualFirstScores_IsDecidedByTheSecond()
    {
        SweepResult[] results =
            [Record("a", scores: [("x", 1), ("y", 0.2)]), Record("b", scores: [("x", 1), ("y", 0.4)]),
                Record("c", scores: [("x", 0.5), ("y", 0.9)])];
        Assert.Equal("b", SweepMean.Best(results, SweepAxis.Prompt, "x", "y"));
        Assert.Equal("c", SweepMean.Best(results, SweepAxis.Prompt, "y", "x"));
    }
}
