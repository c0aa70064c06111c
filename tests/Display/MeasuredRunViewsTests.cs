using Dreambooth.Lab.Display;
using Dreambooth.Lab.Planning;

namespace Dreambooth.Lab.Tests.Display;

public sealed class MeasuredRunViewsTests
{
    private static readonly MemoryPlanner s_planner = new(ModelArchitecture.Sd35Medium);

    private readonly MeasuredRuns _runs = MeasuredRuns.Read("2026-11-28-h200", s_planner);

    [Fact]
    public void Chart_Runs_HasAPointForEachPhaseBetweenTheLines()
    {
        var chart = _runs.Chart();
        Assert.Equal(["± 8 %", "", "load", "encode", "cache", "decode", "sample", "step"], chart.Series.Select(series => series.Name));
        Assert.Equal([8, -8], chart.Series.Take(2).Select(series => series.Y[0]));
        Assert.Equal(_runs.Runs.Sum(run => run.Phases.Count), chart.Series.Skip(2).Sum(series => series.Y.Count));
        var step = chart.Series[^1];
        var worst = step.Labels!.ToList().FindIndex(label => label.StartsWith(_runs.Worst.Name + ", step", StringComparison.Ordinal));
        Assert.Equal(100 * (_runs.Worst.Ratio - 1), step.Y[worst], 6);
        Assert.Equal(_runs.Worst.Measured / (double)(1 << 30), step.X[worst], 6);
        Assert.True(chart.ToPng().Length > 1000);
    }

    [Fact]
    public void Table_Runs_SaysWhatWasParticular()
    {
        var table = _runs.Table();
        Assert.Equal(["train 512 px, batch 1, bf16, rank 4, CLIP LoRA, class pictures", "step"], table.Rows[0].Take(2));
        Assert.Equal(_runs.Runs.Count, table.Rows.Count);
        Assert.Contains(table.Rows, row => row[0] == "generate 4 at 1024 px, bf16");
        Assert.Contains(
            table.Rows,
            row => row[0] == "train 512 px, batch 8, bf16, rank 64, CLIP LoRA, class pictures, checkpointing" && row[^1] == "1.034");
        Assert.EndsWith("farthest from 1 is 1.034.", table.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void Chart_ARun_StandsBesideItsPrediction()
    {
        var run = _runs["train-512-b1-r4-fp32-clip"];
        var chart = run.Chart();
        Assert.Equal(run.Phases.Select(phase => phase.Phase), chart.Phases.Select(phase => phase.Name));
        Assert.Equal(run.Phases.Select(phase => (long?)phase.Measured), chart.Measured);
        Assert.Equal(run.Forecast.Peak, chart.Phases.Max(phase => phase.Total));
    }

    [Fact]
    public void PhaseTable_ARun_HasWhatTensorsHeldAndWhatTheDriverSaw()
    {
        var run = _runs["train-512-b1-r4-fp32-clip"];
        var table = run.PhaseTable();
        Assert.Equal(run.Forecast.Phases.Select(phase => phase.Phase), table.Rows.Select(row => row[0]));
        Assert.Equal(["step", "30.4 GiB", "6.7 GiB", "37.1 GiB", "36.9 GiB", "1.003", "36.9 GiB"], table.Rows[3]);
        Assert.Equal(("31.1 GiB", "36.9 GiB"), (table.Rows[5][4], table.Rows[5][6]));
    }

    [Fact]
    public void BesideTutorial_Rows_ShowPredictedAndMeasuredInBothPrecisions()
    {
        var rows = s_planner.BesideTutorial(_runs).Rows;
        Assert.Equal(["32.8 GiB", "36.9 GiB", "–"], rows.Select(row => row[3]));
        Assert.Equal(["16.4 GiB", "18.7 GiB", "–"], rows.Select(row => row[5]));
        Assert.Equal("–", rows[2][4]);
        Assert.NotEqual("–", rows[2][2]);
    }
}
