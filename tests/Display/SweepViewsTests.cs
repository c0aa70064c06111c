using Dreambooth.Lab.Display;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Sweeps;
using static Dreambooth.Lab.Tests.Sweeps.SweepRecords;

namespace Dreambooth.Lab.Tests.Display;

public sealed class SweepViewsTests : IDisposable
{
    private static readonly SweepResult[] Results =
    [
        Record("b", null, 0, 4, ("fidelity", 0.5)), Record("b", null, 1, 4, ("fidelity", 0.7)), Record("b", 1, 0, 4, ("fidelity", 0.75)),
        Record("b", 1, 1, 4, ("fidelity", 0.85)),
        Record("a", null, 0, 4, ("fidelity", 0.6)), Record("a", 1, 0, 4, ("fidelity", 1)),
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("lab-views-").FullName;

    private SweepOutcome Outcome => new("pairs", _folder, Results, 6, 1);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Grid_Groups_StandBeforeAndAfterWithGapsWhereNothingWasDrawn()
    {
        var grid = Outcome.Grid(SweepAxis.Prompt, SweepAxis.Seed, SweepAxis.BeforeAfter);
        Assert.Equal(["b", "a"], grid.RowHeadings);
        Assert.Equal(["seed 0", "seed 1", "seed 0", "seed 1"], grid.ColumnHeadings);
        Assert.Equal([("before", 2), ("after", 2)], grid.ColumnGroups);
        Assert.Equal([true, false, true, false], grid.Rows[1].Select(cell => cell is not null));
        Assert.Equal("b\nseed 1 · LoRA × 1 · guidance 4 · 28 steps · fidelity 0.85", grid.Rows[0][3]!.Details);
        grid.Validate();
    }

    [Fact]
    public void Gallery_Captions_AreThePromptsUnlessSaidOtherwise()
    {
        Assert.Equal("b", Outcome.Gallery(3).Rows[0][0]!.Caption);
        Assert.DoesNotContain("b\n", Outcome.Gallery(3).Rows[0][0]!.Details, StringComparison.Ordinal);
        Assert.Equal("1", Outcome.Gallery(3, result => $"{result.Item.Seed}").Rows[0][1]!.Caption);
    }

    [Fact]
    public void Table_TwoAxes_HasAColumnForEachSideAndTheMean()
    {
        var table = Outcome.Table(SweepAxis.Prompt, SweepAxis.BeforeAfter);
        Assert.Equal(["Prompt", "fidelity before", "fidelity after"], table.Columns);
        Assert.Equal([["b", "0.600", "0.800"], ["a", "0.600", "1.000"], ["mean", "0.600", "0.867"]], table.Rows);
    }

    [Fact]
    public void Beside_Expectations_StandBesideTheMeansOfScoresThatThereAre() =>
        Assert.Equal(
            [["fidelity", "3 after", "0.867", "high"]],
            Outcome.Beside(SweepAxis.BeforeAfter, ("fidelity", "after", "high"), ("adherence", "before", "1")).Rows);

    [Fact]
    public void Bars_Categories_AreSortedByTheLastSeries()
    {
        var bars = Outcome.Bars("fidelity", SweepAxis.Prompt, SweepAxis.BeforeAfter);
        Assert.Equal(["a", "b"], bars.Categories);
        Assert.Equal(["before", "after"], bars.Series.Select(series => series.Name));
        Assert.Equal([1, 0.8], bars.Series[1].Y);
    }

    [Fact]
    public void Curves_OverTheScale_AreSortedMeans()
    {
        var curve = Assert.Single(
            (Outcome with
            {
                Results =
                [Record("a", 1, scores: ("x", 1)), Record("a", 0.5, scores: ("x", 0.5)), Record("b", 1, scores: ("x", 0))]
            })
            .Curves("x", SweepAxis.ScaleOf, "scale", new SweepAxis("all", _ => "all")).Series);
        Assert.Equal([0.5, 1], curve.X);
        Assert.Equal([0.5, 0.5], curve.Y);
    }

    [Fact]
    public void Scatter_TwoScores_HasANamedPointForEachPlace()
    {
        var series = Assert.Single(
            (Outcome with
            {
                Results =
                [Record("a", scores: [("x", 1), ("y", 2)]), Record("b", scores: [("x", 3), ("y", 4)]), Record("c", scores: ("x", 5))]
            })
            .Scatter("x", "y", SweepAxis.Prompt, SweepAxis.LoraScale).Series);
        Assert.Equal(["a", "b"], series.Labels);
        Assert.Equal([1, 3], series.X);
        Assert.Equal([2, 4], series.Y);
    }

    [Fact]
    public void Views_Unscored_SayThatNothingScored()
    {
        var outcome = Outcome with { Results = [Record("a", null), Record("a")] };
        Assert.Contains("none: ", outcome.Table(SweepAxis.Prompt).ToText(), StringComparison.Ordinal);
        Assert.Contains("none: ", outcome.Beside(SweepAxis.BeforeAfter, ("fidelity", "after", "1")).ToText(), StringComparison.Ordinal);
        Assert.Contains("none: ", outcome.Bars("fidelity", SweepAxis.Prompt, SweepAxis.BeforeAfter).ToHtml(), StringComparison.Ordinal);
    }

    [Fact]
    public void Views_Judged_NameTheJudgeBesideEveryScore()
    {
        var judged = Outcome with { Results = [.. Results.Select(result => result with { Judge = "DINO a, protocol published" })] };
        Assert.Equal("fidelity, by DINO a, protocol published", judged.Bars("fidelity", SweepAxis.Prompt, SweepAxis.BeforeAfter).YTitle);
        Assert.Contains("by DINO a", judged.Beside(SweepAxis.BeforeAfter, ("fidelity", "after", "1")).Note, StringComparison.Ordinal);
        Assert.Contains(
            "by DINO a", judged.Curves("fidelity", SweepAxis.ScaleOf, "scale", SweepAxis.Prompt).YTitle, StringComparison.Ordinal);
    }

    [Fact]
    public void Views_UnscoredByAJudge_SayWhy()
    {
        var result = Record("a") with { Judge = "none: no network", Scores = new Dictionary<string, double>() };
        var outcome = Outcome with { Results = [result] };
        Assert.Contains("no network", outcome.Table(SweepAxis.Prompt).ToText(), StringComparison.Ordinal);
        Assert.Contains("no network", outcome.Bars("fidelity", SweepAxis.Prompt, SweepAxis.BeforeAfter).ToHtml(), StringComparison.Ordinal);
    }

    [Fact]
    public void SaveSheet_Grid_IsOnePicture()
    {
        foreach (var result in Results)
            ImageEncoder.Save(Outcome.PathOf(result), new RgbImage(8, 8));
        Outcome.SaveSheet(Outcome.Gallery(3) with { CellSize = 64 });
        var sheet = ImageDecoder.Load(Path.Combine(_folder, SweepViews.SheetName));
        Assert.InRange(sheet.Width, 3 * 64, 400);
    }
}
