using Dreambooth.Lab.Display;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Sweeps;

namespace Dreambooth.Lab.Tests.Display;

public sealed class TradeOffViewsTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly SweepOutcome _outcome;
    private readonly IReadOnlyList<SweepTradeOff> _points;

    public TradeOffViewsTests()
    {
        SweepResult[] results =
            [Result(0, null, 1, 0.5, 1), Result(1, "run/checkpoint-20", 1, 0.7, 0.9), Result(2, "run", 0.5, 0.8, 0.8),
                Result(3, "run", 1, 0.9, 0.4)];
        _outcome = new SweepOutcome("test", _pictures.Folder, results, 4, 1);
        _points = SweepTradeOff.Of(_outcome, "fidelity", "adherence");
    }

    public void Dispose() => _pictures.Dispose();

    [Fact]
    public void Scatter_EveryStage_IsASeries() =>
        Assert.Equal(["no LoRA", "step 20", "final"], _points.Scatter(new StubJudge("a stub", (_, _) => new Dictionary<string, double>())).Series.Select(series => series.Name));

    [Fact]
    public void Table_ChosenAndFront_AreMarked()
    {
        var text = _points.Table(_points[2]).ToText();
        Assert.Contains("chosen", text, StringComparison.Ordinal);
        Assert.Equal(2, text.Split("on the front").Length - 1);
    }

    [Fact]
    public void Rival_EndChosen_IsTheNextOfTheEnd()
    {
        Assert.Equal(_points[3], _points.Rival(_points[1]));
        Assert.Equal(_points[2], _points.Rival(_points[3]));
        Assert.Throws<LabException>(() => new[] { _points[0], _points[1] }.Rival(_points[1]));
    }

    [Fact]
    public void Blind_TwoKinds_TellsNothingBeforeTheEnd()
    {
        var rating = _outcome.Blind(_points[1], _points[3]);
        Assert.DoesNotContain("step 20", rating.ToHtml(), StringComparison.Ordinal);
        Assert.Contains("final, scale 1", rating.Choose("left").ToText(), StringComparison.Ordinal);
        Assert.Throws<LabException>(() => _outcome.Where(result => result.Item.Lora is null).Blind(_points[1], _points[3]));
    }

    [Fact]
    public void Neighbours_OneKind_StandsBetweenTheModelsAndTheTrainingPicture()
    {
        var grid = _outcome.Neighbours(_points[1], NearestPictures.In(_pictures.Folder));
        Assert.Equal(["1.00", "1.00", ""], grid.Rows.Select(row => Assert.Single(row)!.Caption));
        Assert.EndsWith("1.png", grid.Rows[2][0]!.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void Bars_Drift_HasACategoryForEachStage()
    {
        var chart = SweepDrift.Of(_outcome).Bars(SweepAxis.Stage, SweepAxis.Prompt);
        Assert.Equal(["step 20", "final"], chart.Categories);
        Assert.All(Assert.Single(chart.Series).Y, value => Assert.InRange(value, 0.01, 1));
    }

    [Fact]
    public void CommandLine_Chosen_NamesLoraAndScale() =>
        Assert.Contains("--lora_scale 0.5", _points[2].CommandLine("m", "p"), StringComparison.Ordinal);

    private SweepResult Result(int seed, string? lora, double scale, double fidelity, double adherence)
    {
        _pictures.Add($"{seed}.png", seed: seed);
        return new SweepResult
        {
            Path = $"{seed}.png",
            Item = new SweepItem { Prompt = "p", Lora = lora, LoraScale = scale },
            Seconds = 1,
            Scores = new Dictionary<string, double> { ["fidelity"] = fidelity, ["adherence"] = adherence },
        };
    }
}
