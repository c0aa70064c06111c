using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Planning;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Display;

/// <summary>Views of runs that were measured on a GPU, beside the planner's predictions.</summary>
public static class MeasuredRunViews
{
    // The phases with estimates stand out, and over the others.
    private static readonly (string Phase, ChartColor Color)[] Phases =
    [
        ("load", ChartColor.Grey), ("encode", ChartColor.Olive), ("cache", ChartColor.Violet), ("decode", ChartColor.Ochre),
        ("sample", ChartColor.Blue), ("step", ChartColor.Rose),
    ];

    /// <summary>
    /// Each phase of each run: how far the prediction is off, over the measured peak, with the lines that it should stay between.
    /// </summary>
    /// <param name="runs">The runs.</param>
    public static ScatterChart Chart(this MeasuredRuns runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        (MeasuredRun Run, CalibrationPhase Phase)[] all = [.. runs.Runs.SelectMany(run => run.Phases.Select(phase => (run, phase)))];
        var right = Math.Ceiling(all.Max(entry => entry.Phase.Measured) / MemoryUnit.GiB / 5) * 5;
        ChartSeries Line(string name, double percent) => ChartSeries.Of(name, [0, right], [percent, percent]) with
        {
            Mark = ChartMark.Dashed,
            Color = ChartColor.Grey,
        };
        ChartSeries Points(string phase, ChartColor color)
        {
            var shown = all.Where(entry => entry.Phase.Phase == phase).ToList();
            return ChartSeries.Of(
                phase, shown.Select(entry => entry.Phase.Measured / MemoryUnit.GiB), shown.Select(entry => Percent(entry.Phase))) with
            {
                Color = color,
                Labels = [.. shown.Select(
                    entry => $"{entry.Run.Name}, {phase}: predicted {ByteSize.Text(entry.Phase.Predicted)}, measured "
                        + $"{ByteSize.Text(entry.Phase.Measured)}")],
            };
        }

        return new ScatterChart
        {
            Title = $"How far predictions are off: every phase of {runs.Runs.Count} runs on an {runs.Device}",
            XTitle = "measured peak (GiB)",
            YTitle = "predicted − measured (% of measured)",
            Series = [Line($"± {Aim} %", 100 * MeasuredRuns.Aim), Line(string.Empty, -100 * MeasuredRuns.Aim),
                .. Phases.Select(phase => Points(phase.Phase, phase.Color)).Where(series => series.Y.Count > 0)],
            Caption = FigureText(runs.Runs[0].Figure),
        };
    }

    /// <summary>
    /// The runs: what was done, the phase with the peak, how much of it is estimated, and the peak predicted and measured.
    /// </summary>
    /// <param name="runs">The runs.</param>
    public static TextTable Table(this MeasuredRuns runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        return TextTable.Of(
            runs.Runs,
            ("Run", run => Text(run.Settings)), ("Peak in", run => run.Forecast.Highest.Phase),
            ("Estimated", run => ByteSize.Text(run.Forecast.Highest.Total - run.Forecast.Highest.Exact)),
            ("Predicted", run => ByteSize.Text(run.Forecast.Peak)), ("Measured", run => ByteSize.Text(run.Measured)),
            ("Ratio", run => Ratio(run.Ratio))) with
        {
            Note = "Estimated: the part of the predicted peak that is not counted. Ratio: predicted over measured; farthest from 1 is "
            + $"{Ratio(runs.Worst.Ratio)}."
        };
    }

    /// <summary>A run by phase: the prediction as stacked bars, what was measured as points.</summary>
    /// <param name="run">The run.</param>
    public static MemoryChart Chart(this MeasuredRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return MemoryViews.Chart(
            run.Forecast,
            run.PeakOf) with
        {
            Title =
                $"{Work(run.Settings)}, {Precision(run.Settings.Dtype)}: predicted by phase, and what was measured"
        };
    }

    /// <summary>A run by phase: counted, estimated, predicted; what tensors held, and what was in use on the device.</summary>
    /// <param name="run">The run.</param>
    public static TextTable PhaseTable(this MeasuredRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return TextTable.Of(
            run.Phases.Zip(run.Forecast.Phases, (phase, forecast) => (Measured: phase, Forecast: forecast)),
            ("Phase", row => row.Measured.Phase), ("Counted", row => ByteSize.Text(row.Forecast.Exact)),
            ("Estimated", row => ByteSize.Text(row.Forecast.Total - row.Forecast.Exact)),
            ("Predicted", row => ByteSize.Text(row.Measured.Predicted)), ("Measured", row => ByteSize.Text(row.Measured.Measured)),
            ("Ratio", row => Ratio(row.Measured.Ratio)),
            ("On the device", row => ByteSize.Text(row.Measured.Device))) with
        {
            Note = "On the device: the driver's figure (NVML), with what the allocator keeps; over what was in use before, readings some "
            + "milliseconds apart."
        };
    }

    /// <summary>A ratio of predicted to measured, with the digits that a per cent needs.</summary>
    internal static string Ratio(double ratio) => ratio.ToString("0.000", CultureInfo.InvariantCulture);

    private static string Aim => (100 * MeasuredRuns.Aim).ToString("0", CultureInfo.InvariantCulture);

    private static double Percent(CalibrationPhase phase) => 100 * (phase.Ratio - 1);

    private static string Work(MemorySettings settings) => settings.Training == TrainingKind.None
        ? string.Create(CultureInfo.InvariantCulture, $"generate {settings.SampleBatchSize} at {settings.SampleResolution ?? 1024} px")
        : string.Create(CultureInfo.InvariantCulture, $"train {settings.Resolution} px, batch {settings.TrainBatchSize}");

    private static string Precision(ScalarType dtype) =>
        dtype switch { ScalarType.Float32 => "float32", ScalarType.BFloat16 => "bf16", _ => "fp16" };

    private static string Text(MemorySettings settings)
    {
        var trains = settings.Training != TrainingKind.None;
        (bool Is, string Text)[] all =
        [
            (true, $"{Work(settings)}, {Precision(settings.Dtype)}"),
            (trains, string.Create(CultureInfo.InvariantCulture, $"rank {settings.Rank}")),
            (trains && settings.TrainTextEncoder, "CLIP LoRA"),
            (trains && settings.WithPriorPreservation, "class pictures"), (trains && settings.UsesCheckpointing, "checkpointing"),
            (trains && settings.FreeT5, "T5 freed"),
        ];
        return string.Join(", ", all.Where(part => part.Is).Select(part => part.Text));
    }

    private static string FigureText(string figure) => figure == MeasuredRun.Allocated
        ? "Measured: the most that tensors held, counted exactly by the CUDA pool that libtorch took its memory from. Weights are counted "
            + "by the planner too; what can be off is the estimate of activations."
        : "Measured: the most that was in use over what was in use before, readings some milliseconds apart.";
}
