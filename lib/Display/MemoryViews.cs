using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Profiling;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Display;

/// <summary>Views of predicted and measured memory.</summary>
public static class MemoryViews
{
    private const string Activations = "activations";

    private static readonly int[] Ranks = [1, 4, 16, 64, 128];
    private static readonly int[] Resolutions = [256, 512, 768, 1024];
    private static readonly int[] Batches = [1, 2, 4];

    /// <summary>A model's components: numbers, and bytes in the usual precisions.</summary>
    /// <param name="model">The model.</param>
    public static TextTable Table(this ModelArchitecture model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var total = new ComponentSize("together", model.Parameters, new Dictionary<ScalarType, long>());
        return TextTable.Of(
            model.Components.Append(total),
            ("Component", component => component.Name),
            ("Numbers", component => string.Create(CultureInfo.InvariantCulture, $"{component.Parameters / 1e6:N1} M")),
            ("float32", component => ByteSize.Text(component.BytesAs(ScalarType.Float32))),
            ("bf16", component => ByteSize.Text(component.BytesAs(ScalarType.BFloat16)))) with
        { Title = model.Name };
    }

    /// <summary>Two curves over the time of a run: what tensors take, and what the process holds; a change of phase is named.</summary>
    /// <param name="profile">The measured run.</param>
    public static LineChart Timeline(this MemoryProfile profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        var samples = profile.Samples;
        ChartSeries Curve(string name, Func<MemorySample, long> bytes) =>
            ChartSeries.Of(name, samples.Select(sample => sample.Seconds), samples.Select(sample => bytes(sample) / (double)(1 << 20)));
        List<ChartSeries> series = profile.Figure == MemoryFigure.Resident ? [] :
            [Curve(profile.Figure == MemoryFigure.Device ? "in use on the GPU (NVML)" : "allocated by native code", profile.Value)];
        series.Add(Curve("resident memory of the process", sample => sample.Resident - profile.Baseline.Resident));
        return new LineChart
        {
            Title = "Memory over time: "
                + string.Join(
                    ", ", profile.Phases.Select(
                        phase => string.Create(CultureInfo.InvariantCulture, $"{phase.Name} from {phase.Start:0.0} s"))),
            XTitle = "time (s)",
            YTitle = "MiB over the beginning",
            FromZero = true,
            Series = series,
            Caption = profile.FigureText,
        };
    }

    /// <summary>A prediction by phase as stacked bars, with what was measured as points.</summary>
    /// <param name="forecast">The prediction.</param>
    /// <param name="profile">The measured run, or null.</param>
    public static MemoryChart Chart(this MemoryForecast forecast, MemoryProfile? profile = null)
    {
        ArgumentNullException.ThrowIfNull(forecast);
        return Chart(forecast, profile is null ? null : profile.PeakOf);
    }

    /// <summary>The same with measured peaks of any source.</summary>
    /// <param name="forecast">The prediction.</param>
    /// <param name="measured">The measured peak of a phase in bytes, null where there is none; or null for no measurement.</param>
    internal static MemoryChart Chart(MemoryForecast forecast, Func<string, long?>? measured) => new()
    {
        Title = measured is null ? "Predicted memory by phase" : "Predicted memory by phase, and what was measured",
        Kind = "predicted",
        Phases = [.. forecast.Phases.Select(phase => new MemoryChartPhase(phase.Phase, Parts(phase)))],
        Measured = measured is null ? [] : [.. forecast.Phases.Select(phase => measured(phase.Phase))],
        MeasuredName = "measured peak",
        Caption = MemoryForecast.Note,
    };

    /// <summary>Predicted and measured, phase by phase.</summary>
    /// <param name="trial">The run.</param>
    public static TextTable Table(this MemoryTrial trial)
    {
        ArgumentNullException.ThrowIfNull(trial);
        return TextTable.Of(
            trial.Forecast.Phases,
            ("Phase", phase => phase.Phase), ("Counted", phase => ByteSize.Text(phase.Exact)),
            ("Estimated", phase => ByteSize.Text(phase.Total - phase.Exact)),
            ("Predicted", phase => ByteSize.Text(phase.Total)),
            ("Measured", phase => trial.Profile.PeakOf(phase.Phase) is { } bytes ? ByteSize.Text(bytes) : "–"),
            ("Predicted / measured",
                phase => trial.Profile.PeakOf(phase.Phase) is > 0 and { } bytes ? Ratio((double)phase.Total / bytes) : "–"));
    }

    /// <summary>Predicted and measured peaks of several runs.</summary>
    /// <param name="trials">The runs.</param>
    public static TextTable Table(this IReadOnlyList<MemoryTrial> trials)
    {
        ArgumentNullException.ThrowIfNull(trials);
        return TextTable.Of(
            trials,
            ("Run", trial => trial.Name), ("Highest phase", trial => trial.Forecast.Highest.Phase),
            ("Predicted peak", trial => ByteSize.Text(trial.Forecast.Peak)),
            ("Measured peak", trial => ByteSize.Text(trial.Profile.Peak)), ("Predicted / measured", trial => Ratio(trial.Ratio)));
    }

    /// <summary>
    /// The tutorial's figures beside what the planner predicts for the same work with the lab, and what was measured of it.
    /// </summary>
    /// <param name="planner">The planner of Stable Diffusion 3.5-medium.</param>
    /// <param name="measured">Runs that were measured on a GPU.</param>
    public static TextTable BesideTutorial(this MemoryPlanner planner, MeasuredRuns measured)
    {
        ArgumentNullException.ThrowIfNull(planner);
        ArgumentNullException.ThrowIfNull(measured);
        // Full fine-tuning is compared in float32 alone.
        static MemorySettings? Half(MemorySettings settings) =>
            settings.Training == TrainingKind.Full ? null : settings with { Dtype = ScalarType.BFloat16, VaeDtype = ScalarType.BFloat16 };
        string Predicted(MemorySettings? settings) => settings is null ? "–" : ByteSize.Text(planner.Forecast(settings).Peak);
        string Measured(MemorySettings? settings) =>
            settings is not null && measured.Find(settings) is { } run ? ByteSize.Text(run.Measured) : "–";
        return TextTable.Of(
            PublishedFigures.Tutorial,
            ("Work", row => row.Work), ("The tutorial says", row => row.Published),
            ("Lab, float32: predicted", row => Predicted(row.Settings)), ("measured", row => Measured(row.Settings)),
            ("Lab, bf16: predicted", row => Predicted(Half(row.Settings))), ("measured", row => Measured(Half(row.Settings)))) with
        {
            Note = "Ours: what tensors hold at most, everything in memory all the time (--memory fast), the autoencoder in the same "
            + $"precision; measured on an {measured.Device} with random weights. Nothing trains all weights here: "
            + "that row stays a prediction."
        };
    }

    /// <summary>What a run needs in each memory mode.</summary>
    /// <param name="planner">The planner.</param>
    /// <param name="settings">The run.</param>
    public static TextTable Modes(this MemoryPlanner planner, MemorySettings settings)
    {
        ArgumentNullException.ThrowIfNull(planner);
        return TextTable.Of(
            planner.ByMode(settings),
            ("Memory mode", forecast => MemoryChoice.Name(forecast.Settings)), ("Predicted peak", forecast => ByteSize.Text(forecast.Peak)),
            ("in phase", forecast => forecast.Highest.Phase),
            ("fits a card of", forecast => MemoryPlanner.SmallestCard(forecast) is { } card ? ByteSize.Text(card) : "none of these"));
    }

    /// <summary>Which settings fit cards of several sizes.</summary>
    /// <param name="planner">The planner.</param>
    /// <param name="settings">The run as wished.</param>
    public static TextTable Cards(this MemoryPlanner planner, MemorySettings settings)
    {
        ArgumentNullException.ThrowIfNull(planner);
        return TextTable.Of(
            MemoryPlanner.CardSizes.Select(card => (Card: card, Fit: planner.Fit(settings, MemoryPlanner.Usable(card)))),
            ("Card", row => ByteSize.Text(row.Card)),
            ("What it takes",
                row => row.Fit is not { } fit
                    ? "nothing that the planner knows"
                    : fit.Changes.Count == 0 ? "nothing: fits as it is" : string.Join(", ", fit.Changes)),
            ("Predicted peak", row => row.Fit is { } fit ? ByteSize.Text(fit.Forecast.Peak) : "–"),
            ("in phase", row => row.Fit?.Forecast.Highest.Phase));
    }

    /// <summary>The cost of each setting: the predicted peak of the training step for several values, everything else unchanged.</summary>
    /// <param name="planner">The planner.</param>
    /// <param name="settings">The run to start from.</param>
    public static TextTable Knobs(this MemoryPlanner planner, MemorySettings settings)
    {
        ArgumentNullException.ThrowIfNull(planner);
        ArgumentNullException.ThrowIfNull(settings);
        (string Knob, string Value, MemorySettings Settings)[] rows =
        [
            ("as it is", string.Empty, settings),
            .. Ranks.Select(rank => ("rank", Text(rank), settings with { Rank = rank })),
            .. Resolutions.Select(side => ("resolution", Text(side), settings with { Resolution = side })),
            .. Batches.Select(batch => ("train_batch_size", Text(batch), settings with { TrainBatchSize = batch })),
            ("with_prior_preservation", "off", settings with { WithPriorPreservation = false }),
            ("train_text_encoder", "off", settings with { TrainTextEncoder = false }),
            ("gradient_checkpointing", "on", settings with { GradientCheckpointing = true }),
            ("T5 freed", "yes", settings with { FreeT5 = true }),
            ("mixed_precision", "bf16", settings with { Dtype = ScalarType.BFloat16 }),
        ];
        var start = planner.Forecast(settings).PeakOf("step")!.Value;
        return TextTable.Of(
            rows.Select(row => (row.Knob, row.Value, Forecast: planner.Forecast(row.Settings))),
            ("Knob", row => row.Knob), ("Value", row => row.Value),
            ("Training step", row => ByteSize.Text(row.Forecast.PeakOf("step")!.Value)),
            ("Difference", row => Difference(row.Forecast.PeakOf("step")!.Value - start)),
            ("LoRA and optimizer",
                row => ByteSize.Text(
                    row.Forecast.Phases.Single(phase => phase.Phase == "step").Terms.Where(
                        term => term.Name is "LoRA" or "gradients" or "optimizer state").Sum(term => term.Bytes))));
    }

    // Weights by component, what training adds to them, and activations.
    private static List<MemoryChartPart> Parts(PhaseForecast phase) =>
        [.. phase.Terms.GroupBy(Part).OrderBy(group => group.Key == Activations)
            .Select(group => new MemoryChartPart(group.Key, group.Sum(term => term.Bytes)))];

    private static string Part(MemoryTerm term) => !term.IsExact ? Activations : term.Name switch
    {
        "transformer weights" => "transformer",
        "vae weights" => "autoencoder",
        "text_encoder weights" or "text_encoder_2 weights" => "CLIP",
        "text_encoder_3 weights" or "text_encoder_3 block" => "T5",
        _ => "LoRA, optimizer, cache",
    };

    /// <summary>Checks of the counts and the measured runs.</summary>
    /// <param name="planner">The planner of Stable Diffusion 3.5-medium.</param>
    /// <param name="trial">A measured run.</param>
    /// <param name="trials">All measured runs.</param>
    /// <param name="measured">Runs of the real model that were measured on a GPU.</param>
    public static TextTable Beside(this MemoryPlanner planner, MemoryTrial trial, IReadOnlyList<MemoryTrial> trials, MeasuredRuns measured)
    {
        ArgumentNullException.ThrowIfNull(planner);
        ArgumentNullException.ThrowIfNull(trial);
        ArgumentNullException.ThrowIfNull(trials);
        ArgumentNullException.ThrowIfNull(measured);
        var config = planner.Model.Transformer;
        var trained = planner.Model.Components[0].Parameters - ((double)config.PosEmbedMaxSize * config.PosEmbedMaxSize * config.InnerDim);
        double[] ratios = [.. trials.Select(run => run.Ratio).Order()], onGpu = [.. measured.Runs.Select(run => run.Ratio).Order()];
        return new TextTable
        {
            Columns = ["What", "Expected", "Found"],
            Rows =
            [
                ["the real transformer without its table of positions", "2,243 million numbers",
                    string.Create(CultureInfo.InvariantCulture, $"{trained / 1e6:N0} million")],
                ["the real model's weights in float32", "less than the 36.0 GB of the tutorial's inference",
                    ByteSize.Text(planner.Forecast(MemorySettings.TutorialInference).PeakOf("load")!.Value)],
                ["the phase that needs most, measured", "step", trial.Profile.Phases.MaxBy(phase => phase.Peak)!.Name],
                ["predicted / measured peak, the runs of this notebook", "0.85 to 1.15", $"{Ratio(ratios[0])} to {Ratio(ratios[^1])}"],
                [$"predicted / measured peak, {measured.Runs.Count} runs on an {measured.Device}", "0.92 to 1.08",
                    $"{MeasuredRunViews.Ratio(onGpu[0])} to {MeasuredRunViews.Ratio(onGpu[^1])}"],
            ],
        };
    }

    private static string Difference(long bytes) => bytes == 0 ? "–" : (bytes > 0 ? "+" : "−") + ByteSize.Text(Math.Abs(bytes));

    private static string Ratio(double ratio) => ratio.ToString("0.00", CultureInfo.InvariantCulture);

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
