using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Display;

/// <summary>How LoRA are compared: fidelity against adherence, drift, nearest training pictures, and pairs to choose between blind.</summary>
public static class TradeOffViews
{
    /// <summary>Every LoRA and scale as a point: to the right those that follow the prompt, at the top those that show the subject.</summary>
    /// <param name="points">What <see cref="SweepTradeOff.Of"/> gave.</param>
    public static ScatterChart Scatter(this IReadOnlyList<SweepTradeOff> points)
    {
        ArgumentNullException.ThrowIfNull(points);
        return new ScatterChart
        {
            XTitle = "prompt adherence (part of what the prompt says that the picture shows)",
            YTitle = "fidelity (cosine to the real pictures)",
            Height = 300,
            Series =
            [
                .. points.GroupBy(point => point.Stage).Select(group => ChartSeries.Of(group.Key, group.Select(point => point.Adherence), group.Select(point => point.Fidelity)) with
                {
                    Mark = group.Count() > 1 ? ChartMark.LineAndPoints : ChartMark.Points,
                    Labels = [.. group.Select(Describe)],
                }),
            ],
        };
    }

    /// <summary>Every LoRA and scale with its means; the front of the cloud and the chosen one are marked.</summary>
    /// <param name="points">What <see cref="SweepTradeOff.Of"/> gave.</param>
    /// <param name="chosen">The one to use; null for none.</param>
    public static TextTable Table(this IReadOnlyList<SweepTradeOff> points, SweepTradeOff? chosen = null) => TextTable.Of(
        points,
        ("LoRA", point => point.Stage), ("Scale", point => point.Lora is null ? "–" : Number(point.Scale)), ("Fidelity", point => point.Fidelity.ToString("0.000", CultureInfo.InvariantCulture)),
        ("Adherence", point => point.Adherence.ToString("0.00", CultureInfo.InvariantCulture)),
        ("", point => point == chosen ? "chosen" : point.IsBest && point.Lora is not null ? "on the front" : string.Empty));

    /// <summary>Drift as bars: one group for each place on an axis, one bar for each group of prompts.</summary>
    /// <param name="drifts">The pictures' drifts.</param>
    /// <param name="categories">What makes groups of bars, such as the stage.</param>
    /// <param name="bars">What makes bars, such as with and without the identifier.</param>
    public static BarChart Bars(this IReadOnlyList<SweepDrift> drifts, SweepAxis categories, SweepAxis bars)
    {
        ArgumentNullException.ThrowIfNull(drifts);
        string[] names = [.. drifts.Select(drift => categories.LabelOf(drift.Result.Item)).Distinct()];
        return new BarChart
        {
            Categories = names,
            YTitle = "mean difference to the model without LoRA (0 … 1)",
            Series =
            [
                .. drifts.GroupBy(drift => bars.LabelOf(drift.Result.Item)).Select(group =>
                {
                    var means = SweepDrift.By(group, categories).ToDictionary(mean => mean.Label, mean => mean.Mean);
                    return ChartSeries.Of(group.Key, names.Select(name => means.GetValueOrDefault(name, double.NaN)));
                }),
            ],
        };
    }

    /// <summary>Pictures over the training pictures that resemble them most.</summary>
    /// <param name="outcome">The sweep; its first pictures are taken.</param>
    /// <param name="nearest">The training pictures.</param>
    /// <param name="most">Pictures at most.</param>
    public static ImageGrid Neighbours(this SweepOutcome outcome, NearestPictures nearest, int most = 8)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(nearest);
        var pairs = outcome.Results.Take(most).Select(result => (Result: result, Near: nearest.Of(ImageDecoder.Load(outcome.PathOf(result))))).ToList();
        return new ImageGrid
        {
            Rows =
            [
                [.. pairs.Select(pair => SweepViews.Cell(outcome.Folder, pair.Result))],
                [.. pairs.Select(pair => GridCell.FromFile(pair.Near.Path, Number(pair.Near.Likeness), Path.GetFileName(pair.Near.Path)))],
            ],
            RowHeadings = ["drawn", "nearest training picture"],
            CellSize = 110,
        };
    }

    /// <summary>Pairs to choose between blind: pictures of two LoRA from the same prompt and noise.</summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="first">One of its LoRA and scales.</param>
    /// <param name="second">Another.</param>
    /// <param name="seed">Decides the order.</param>
    /// <exception cref="LabException">No prompt and noise were drawn with both.</exception>
    public static ComparisonRating Blind(this SweepOutcome outcome, SweepTradeOff first, SweepTradeOff second, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        SweepResult[] Of(SweepTradeOff kind) => [.. outcome.Results.Where(result => result.Item.Lora == kind.Lora && SweepAxis.ScaleOf(result.Item) == kind.Scale)];
        var pairs = Of(first).Join(Of(second), Place, Place, (a, b) => new ComparisonPair(
            GridCell.FromFile(outcome.PathOf(a)), GridCell.FromFile(outcome.PathOf(b)), $"Which shows “{a.Item.Prompt}” better?")).ToList();
        return pairs.Count == 0
            ? throw new LabException($"The sweep '{outcome.Name}' has no prompt and seed that was drawn both by {Describe(first)} and by {Describe(second)}.")
            : new ComparisonRating { Pairs = pairs, FirstName = Describe(first), SecondName = Describe(second), Seed = seed, CellSize = 220 };
    }

    private static (string Prompt, ulong Seed, double Guidance) Place(SweepResult result) => (result.Item.Prompt, result.Item.Seed, result.Item.Guidance);

    private static string Describe(SweepTradeOff point) => point.Lora is null ? "no LoRA" : $"{point.Stage}, scale {Number(point.Scale)}";

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
