using System.Globalization;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Display;

/// <summary>
/// The losses of a training over its steps, with the learning rate below: points for each step's instance and prior loss, lines for
/// their running means and for that of the total, and the validation loss where there is one; between them the scores of the validation
/// pictures where there are any.
/// </summary>
public sealed record LossPlot : ChartView
{
    private const int RateHeight = 56;
    private const int ScoreHeight = 140;
    private const int NormHeight = 90;
    private const int NormPoints = 20;

    // Others than the losses': one legend names all.
    private static readonly ChartColor[] NormColors = [ChartColor.Grey, ChartColor.Violet, ChartColor.Rose, ChartColor.Olive];

    private static readonly ChartColor[] ScoreColors =
        [ChartColor.Teal, ChartColor.Rose, ChartColor.Blue, ChartColor.Violet, ChartColor.Olive, ChartColor.Ochre];

    /// <summary>The steps that were done, in order; those whose losses are no numbers leave gaps.</summary>
    public required IReadOnlyList<StepRecord> Records { get; init; }

    /// <summary>The last step of the axis; null for the last one done. A running training keeps its scale with it.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Window of the running mean in steps, 1 or more; null (the default) for a fifteenth of all, at least 8.</summary>
    public int? Smoothing { get; init; }

    /// <summary>
    /// The validation loss after some steps, at fixed noise levels and so without the scatter of random draws; empty (the default) for what
    /// the records hold of it.
    /// </summary>
    public IReadOnlyList<(int Step, double Loss)> Validation { get; init; } = [];

    /// <summary>Whether the lengths of the gradients stand below the learning rate. Default false.</summary>
    internal bool WithGradients { get; init; }

    /// <summary>The bias-corrected exponential running mean; NaN is skipped.</summary>
    /// <param name="values">The values in order.</param>
    /// <param name="reach">Steps it reaches back, 1 or more.</param>
    public static IReadOnlyList<double> RunningMean(IEnumerable<double> values, int reach)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentOutOfRangeException.ThrowIfLessThan(reach, 1);
        var keep = 1 - (1.0 / reach);
        double sum = 0, weight = 0;
        var means = new List<double>();
        foreach (var value in values)
        {
            if (double.IsFinite(value))
                (sum, weight) = ((sum * keep) + value, (weight * keep) + 1);
            means.Add(weight > 0 ? sum / weight : double.NaN);
        }

        return means;
    }

    private protected override string Empty => "No training step was done.";

    private protected override ChartFigure Figure()
    {
        if (Records.Count == 0)
            return new ChartFigure { Title = Title, Caption = Caption, Panels = [] };
        return new ChartFigure
        {
            Title = Title,
            Caption = Caption.Length > 0 ? Caption : Summary(),
            XTitle = "step",
            XRange = (0, Math.Max(MaxSteps ?? 0, Records[^1].Step)),
            Panels = [LossPanel(), .. ScorePanels(), RatePanel(), .. WithGradients ? [NormPanel()] : Array.Empty<ChartPanel>()],
        };
    }

    private ChartPanel LossPanel()
    {
        var reach = Smoothing ?? Math.Max(8, Records.Count / 15);
        List<ChartSeries> points = [], lines = [];
        void Add(string name, ChartColor color, bool showPoints, Func<StepRecord, double> value)
        {
            if (showPoints)
                points.Add(Unnamed($"{name}, single steps", ChartMark.FaintPoints, color, Records.Select(value)));
            var means = RunningMean(Records.Select(value), reach);
            lines.Add(Steps(name, ChartMark.Line, color, means) with { Meaning = $"{name}, running mean" });
        }

        if (Records.Any(record => record.PriorLoss is not null))
            Add("prior", ChartColor.Ochre, true, record => record.PriorLoss ?? double.NaN);
        Add("instance", ChartColor.Teal, true, record => record.InstanceLoss);
        Add("total", ChartColor.Ink, false, record => record.Loss);
        var validation = Validation.Count > 0 ? Validation
            : [.. Records.Where(record => record.ValidationLoss is not null).Select(record => (record.Step, record.ValidationLoss!.Value))];
        if (validation.Count > 0)
        {
            lines.Add(new ChartSeries
            {
                Name = "validation",
                Mark = ChartMark.LineAndPoints,
                Color = ChartColor.Blue,
                X = [.. validation.Select(point => (double)point.Step)],
                Y = [.. validation.Select(point => point.Loss)],
            });
        }

        return new ChartPanel
        {
            YTitle = "loss: points are single steps, lines their running means",
            FromZero = true,
            Height = Height,
            Ceiling = Ceiling(points, lines),
            Series = [.. points, .. lines],
        };
    }

    private IEnumerable<ChartPanel> ScorePanels()
    {
        StepRecord[] scored = [.. Records.Where(record => record.Scores is { Count: > 0 })];
        if (scored.Length == 0)
            yield break;
        string[] names = [.. scored.SelectMany(record => record.Scores!.Keys).Distinct(StringComparer.Ordinal)];
        yield return new ChartPanel
        {
            YTitle = "mean scores of the validation pictures",
            Height = ScoreHeight,
            Series = [.. names.Select((name, i) =>
            {
                StepRecord[] having = [.. scored.Where(record => record.Scores!.ContainsKey(name))];
                return new ChartSeries
                {
                    Name = name,
                    Mark = ChartMark.LineAndPoints,
                    Color = ScoreColors[i % ScoreColors.Length],
                    X = [.. having.Select(record => (double)record.Step)],
                    Y = [.. having.Select(record => record.Scores![name])],
                };
            })],
        };
    }

    private ChartPanel RatePanel()
    {
        var values = Records.Select(record => record.LearningRate);
        List<ChartSeries> rates = [Unnamed("learning rate", ChartMark.Line, ChartColor.Grey, values)];
        var encoders = Records.Any(record => record.TextEncoderLr is not null);
        if (encoders)
        {
            var ofEncoders = Records.Select(record => record.TextEncoderLr ?? double.NaN);
            rates.Add(Unnamed("learning rate of the text encoders", ChartMark.Dashed, ChartColor.Grey, ofEncoders));
        }

        return new ChartPanel
        {
            YTitle = "learning rate" + (encoders ? " (dashed: of the text encoders)" : string.Empty),
            FromZero = true,
            Height = RateHeight,
            Series = rates,
        };
    }

    private ChartPanel NormPanel() => new()
    {
        YTitle = "length of the gradients before clipping, running means",
        LogY = true,
        Height = NormHeight,
        Series = [.. TrainingViews.NormSeries(Records).Select((line, i) => line.Thin(NormPoints) with
        {
            Name = i == 0 ? "gradients" : line.Name,
            Mark = ChartMark.Line,
            Color = NormColors[i % NormColors.Length],
        })],
    };

    private ChartSeries Unnamed(string meaning, ChartMark mark, ChartColor color, IEnumerable<double> values) =>
        Steps(string.Empty, mark, color, values) with { Meaning = meaning };

    private ChartSeries Steps(string name, ChartMark mark, ChartColor color, IEnumerable<double> values) =>
        new() { Name = name, Mark = mark, Color = color, X = [.. Records.Select(record => (double)record.Step)], Y = [.. values] };

    // Single steps far above the rest would compress everything else: they are drawn on the upper edge.
    private static double Ceiling(List<ChartSeries> points, List<ChartSeries> lines)
    {
        double[] single = [.. points.SelectMany(series => series.Y).Where(double.IsFinite).Order()];
        var usual = single.Length == 0 ? 0 : single[(int)(0.97 * (single.Length - 1))];
        return lines.SelectMany(series => series.Y).Where(double.IsFinite).Append(usual).Max();
    }

    private string Summary()
    {
        var part = Math.Max(1, Records.Count / 10);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Records.Count} steps. Mean instance loss: {Mean(Records.Take(part)):0.0000} over the first {part}, "
            + $"{Mean(Records.TakeLast(part)):0.0000} over the last {part}.")
            + (Records.LastOrDefault(record => record.Judge is not null) is { } scored ? $" Scores: {scored.Judge}." : string.Empty);
    }

    private static double Mean(IEnumerable<StepRecord> records) =>
        records.Select(record => record.InstanceLoss).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average();
}
