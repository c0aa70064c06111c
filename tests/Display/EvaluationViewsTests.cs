using Dreambooth.Lab.Display;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Evaluation;

namespace Dreambooth.Lab.Tests.Display;

public sealed class EvaluationViewsTests
{
    private static readonly EvaluationChoice Choice = EvaluationChoice.Of(MadeEvaluations.All(
        MadeEvaluations.Of("no LoRA", 0, 0.35, (SubjectJudge.DinoScore, 0.4), (SubjectJudge.ClipTextScore, 0.3)),
        MadeEvaluations.Of("step 1", 0.5, 0.36, (SubjectJudge.DinoScore, 0.5), (SubjectJudge.ClipTextScore, 0.298)),
        MadeEvaluations.Of("step 1", 1, 0.36, (SubjectJudge.DinoScore, 0.6), (SubjectJudge.ClipTextScore, 0.29)),
        MadeEvaluations.Of("final", 1, 0.40, (SubjectJudge.DinoScore, 0.7), (SubjectJudge.ClipTextScore, 0.25))));

    [Fact]
    public void Plane_StagesFrontAndSuggestion_AreNamedAndIntervalsAreDrawn()
    {
        var chart = Assert.IsType<ScatterChart>(Choice.Plane());
        Assert.Equal(
            ["no LoRA", "step 1", "final", "Pareto set", "suggested: step 1 × 1"],
            chart.Series.Select(series => series.Name).Where(name => name.Length > 0));
        // A horizontal and a vertical bar for each of four points, around its means.
        var bars = chart.Series.Where(series => series.Name.Length == 0).ToArray();
        Assert.Equal(8, bars.Length);
        Assert.All(bars, bar => Assert.True(bar.X[0] < bar.X[1] || bar.Y[0] < bar.Y[1]));
        Assert.Contains("made up", chart.Caption, StringComparison.Ordinal);
        Assert.Contains("0.750", chart.Caption, StringComparison.Ordinal);
    }

    [Fact]
    public void Plane_NoPrompts_IsBarsOfFidelity()
    {
        var choice = EvaluationChoice.Of(MadeEvaluations.All(MadeEvaluations.Of("a", 1, null, (SubjectJudge.DinoScore, 0.5))));
        Assert.Equal(0.5, Assert.Single(Assert.IsType<BarChart>(choice.Plane()).Series).Y[0], 1e-12);
    }

    [Fact]
    public void Table_EverySet_HasItsIntervalAndItsMark()
    {
        var table = Choice.Table();
        Assert.Equal(["", "Pareto set", "suggested", "Pareto set"], table.Rows.Select(row => row[2]));
        Assert.Matches(@"^0\.600 \(0\.\d{3} … 0\.\d{3}\)$", table.Rows[2][4]);
        Assert.Contains("made up", table.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void DifferenceTable_ShownDifferences_AreSaid()
    {
        var row = Choice.DifferenceTable().Rows[1];
        Assert.Equal(("final", "1", "higher", "lower"), (row[0], row[1], row[3], row[5]));
        Assert.StartsWith("+0.100", row[2], StringComparison.Ordinal);
        Assert.StartsWith("−0.040", row[4], StringComparison.Ordinal);
    }

    [Fact]
    public void DriftBars_ClassPictures_AreShownAndNothingWithoutThem()
    {
        var series = Choice.DriftBars()!.Series[0];
        Assert.Equal([0.35, 0.36, 0.36, 0.40], series.Y.Select(value => Math.Round(value, 9)));
        Assert.All(
            series.Y.Zip(series.Intervals!), bar => Assert.True(bar.Second!.Value.Low < bar.First && bar.First < bar.Second.Value.High));
        var bare = EvaluationChoice.Of(MadeEvaluations.All(MadeEvaluations.Of("a", 1, null, (SubjectJudge.DinoScore, 0.5))));
        Assert.Null(bare.DriftBars());
    }

    [Fact]
    public void Pictures_ByScore_StandOverTheirNearestPhotos()
    {
        using var pictures = new PictureSamples();
        var photo = pictures.Add("photo.png");
        var (set, _) = MadeEvaluations.Of("a", 1, null);
        PictureScores[] scored = [.. Enumerable.Range(0, 3).Select(i => new PictureScores
        {
            Path = pictures.Add($"{i}.png", seed: i),
            Nearest = photo,
            Scores = new Dictionary<string, double> { [SubjectJudge.DinoScore] = i, [SubjectJudge.NearestScore] = 0.5 },
        })];
        var grid = SubjectEvaluation.Of(set, MadeEvaluations.Judge, scored).Pictures(SubjectJudge.DinoScore, lowest: true, most: 2);
        Assert.Equal([scored[0].Path, scored[1].Path], grid.Rows[0].Select(cell => cell!.Path));
        Assert.Equal(["cosine 0.500", "cosine 0.500"], grid.Rows[1].Select(cell => cell!.Caption));
        Assert.Contains("lowest DINO", grid.Title, StringComparison.Ordinal);
    }
}
