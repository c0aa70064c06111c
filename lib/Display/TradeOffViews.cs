using System.Globalization;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Display;

/// <summary>Views that compare LoRA: fidelity against adherence, drift, nearest training pictures, and blind pairs.</summary>
public static class TradeOffViews
{
    /// <summary>Every LoRA and scale as a point: adherence to the prompt to the right, fidelity to the subject upwards.</summary>
    /// <param name="points">What <see cref="SweepTradeOff.Of"/> gave.</param>
    /// <param name="judge">What scored the pictures.</param>
    public static ScatterChart Scatter(this IReadOnlyList<SweepTradeOff> points, IPictureJudge judge)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentNullException.ThrowIfNull(judge);
        return new ScatterChart
        {
            XTitle = $"{judge.AdherenceScore}, by {judge.Name}",
            YTitle = $"{judge.FidelityScore}, by {judge.Name}",
            Height = 300,
            Series =
            [
                .. points.GroupBy(point => point.Stage)
                    .Select(
                        group => ChartSeries.Of(
                            group.Key, group.Select(point => point.Adherence), group.Select(point => point.Fidelity)) with
                {
                    Mark = group.Count() > 1 ? ChartMark.LineAndPoints : ChartMark.Points,
                    Labels = [.. group.Select(Describe)],
                }),
            ],
        };
    }

    /// <summary>
    /// The candidate to compare a chosen one with: the end of the training, as near to scale 1 as was generated; the next best where that
    /// is chosen.
    /// </summary>
    /// <param name="points">What <see cref="SweepTradeOff.Of"/> gave.</param>
    /// <param name="chosen">One of them.</param>
    /// <exception cref="LabException">There is no other LoRA.</exception>
    public static SweepTradeOff Rival(this IReadOnlyList<SweepTradeOff> points, SweepTradeOff chosen)
    {
        ArgumentNullException.ThrowIfNull(points);
        return points.Where(point => point.Lora is not null && point != chosen).OrderBy(point => point.Lora == points[^1].Lora ? 0 : 1)
            .ThenBy(point => Math.Abs(point.Scale - 1)).FirstOrDefault()
            ?? throw new LabException("There is no other LoRA or scale to compare with: give the sweep more stages or scales.");
    }

    /// <summary>How to generate pictures with a LoRA on the command line.</summary>
    /// <param name="chosen">The LoRA and its scale.</param>
    /// <param name="model">The model's folder, or its name on the hub.</param>
    /// <param name="prompt">What to generate.</param>
    public static string CommandLine(this SweepTradeOff chosen, string model, string prompt)
    {
        ArgumentNullException.ThrowIfNull(chosen);
        return $"dotnet run -- generate --model {(Path.IsPathRooted(model) ? ProjectFolder.Near(model) : model)} \\\n    --lora "
            + $"{ProjectFolder.Near(chosen.Lora ?? string.Empty)} --lora_scale {Number(chosen.Scale)} \\\n    --prompt \"{prompt}\"";
    }

    /// <summary>Every LoRA and scale with its means; the Pareto front and the chosen one are marked.</summary>
    /// <param name="points">What <see cref="SweepTradeOff.Of"/> gave.</param>
    /// <param name="chosen">The one to use; null for none.</param>
    public static TextTable Table(this IReadOnlyList<SweepTradeOff> points, SweepTradeOff? chosen = null) => TextTable.Of(
        points,
        ("LoRA", point => point.Stage), ("Scale", point => point.Lora is null ? "–" : Number(point.Scale)),
        ("Fidelity", point => point.Fidelity.ToString("0.000", CultureInfo.InvariantCulture)),
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

    /// <summary>
    /// Pictures of one LoRA over the training pictures that resemble them most, with what the model generated without it from the same
    /// noise: where that is as like a training picture, nothing was copied.
    /// </summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="kind">One of its LoRA and scales.</param>
    /// <param name="nearest">The training pictures.</param>
    /// <param name="most">Pictures at most.</param>
    public static ImageGrid Neighbours(this SweepOutcome outcome, SweepTradeOff kind, NearestPictures nearest, int most = 6)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(nearest);
        var before = outcome.Results.Where(result => result.Item.Lora is null).ToDictionary(Place);
        (string Path, double Likeness) Near(SweepResult result) => nearest.Of(ImageDecoder.Load(outcome.PathOf(result)));
        GridCell Drawn(SweepResult result) => SweepViews.Cell(outcome.Folder, result, Likeness(Near(result).Likeness));
        SweepResult[] own = [.. Of(outcome, kind).Take(most)];
        return new ImageGrid
        {
            Title = $"Likeness to the nearest training picture (these among themselves: {Likeness(nearest.AmongThemselves)})",
            Rows =
            [
                [.. own.Select(result => before.TryGetValue(Place(result), out var bare) ? Drawn(bare) : null)],
                [.. own.Select(Drawn)],
                [.. own.Select(result => GridCell.FromFile(Near(result).Path, details: Path.GetFileName(Near(result).Path)))],
            ],
            RowHeadings = ["without LoRA", Describe(kind), "its nearest training picture"],
            CellSize = 110,
        };
    }

    /// <summary>Pairs to choose between blind: pictures of two LoRA from the same prompt and noise.</summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="first">One of its LoRA and scales.</param>
    /// <param name="second">Another.</param>
    /// <param name="seed">Decides the order.</param>
    /// <exception cref="LabException">No prompt and noise were used with both.</exception>
    public static ComparisonRating Blind(this SweepOutcome outcome, SweepTradeOff first, SweepTradeOff second, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        var pairs = Of(outcome, first).Join(Of(outcome, second), Place, Place, (a, b) => new ComparisonPair(
            GridCell.FromFile(outcome.PathOf(a)), GridCell.FromFile(outcome.PathOf(b)), $"Which shows “{ShownText.Line(a.Item.Prompt)}” "
                + "better?")).ToList();
        return pairs.Count == 0
            ? throw new LabException(
                $"The sweep '{outcome.Name}' has no prompt and seed that was generated both by {Describe(first)} and by "
                + $"{Describe(second)}.")
            : new ComparisonRating
            {
                Pairs = pairs,
                FirstName = Describe(first),
                SecondName = Describe(second),
                Seed = seed,
                CellSize = 220,
            };
    }

    /// <summary>Results of the chosen LoRA and the training, beside those of a sound training on the miniature.</summary>
    /// <param name="points">What <see cref="SweepTradeOff.Of"/> gave, the model as it is among them.</param>
    /// <param name="chosen">The one to use.</param>
    /// <param name="drift">A sweep over prompts with and without the identifier, at the end of the training among others.</param>
    /// <param name="subject">Identifier and class, by which the prompts about the subject are known.</param>
    /// <param name="ceiling">Mean fidelity between real pictures; not a number where it is not known.</param>
    public static TextTable Beside(
        this IReadOnlyList<SweepTradeOff> points, SweepTradeOff chosen, SweepOutcome drift, string subject, double ceiling)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentNullException.ThrowIfNull(chosen);
        ArgumentNullException.ThrowIfNull(drift);
        var bare = points.FirstOrDefault(point => point.Lora is null);
        string Identity(bool about) => SweepViews.Figure(
            SweepMean.Over(
                drift.Results.Where(
                    result => result.Item.Lora is not null && LoraCheckpoints.StepOf(result.Item.Lora) is null
                        && result.Item.Prompt.Contains(subject, StringComparison.Ordinal) == about)),
            CharacterReading.IdentityScore);
        (string What, string Measured, string Expected)[] rows =
        [
            ("fidelity without LoRA", Figure(bare?.Fidelity), "about 0.8"),
            ("fidelity of the chosen one", Figure(chosen.Fidelity),
                $"clearly more; real photos among themselves {Figure(ceiling)}, a painting or an origami stays below"),
            ("adherence without LoRA", Figure(bare?.Adherence), "0.9 or more"),
            ("adherence of the chosen one", Figure(chosen.Adherence), "no more below than allowed"),
            ($"identity at the end, “{subject}”", Identity(true), "0.75 or more"),
            ("identity at the end, other prompts", Identity(false), "0.10 or less"),
        ];
        return TextTable.Of(rows, ("What", row => row.What), ("Measured", row => row.Measured), ("Expected", row => row.Expected));
    }

    private static string Figure(double? value) =>
        value is { } number && !double.IsNaN(number) ? number.ToString("0.00", CultureInfo.InvariantCulture) : "–";

    private static (string Prompt, ulong Seed, double Guidance) Place(SweepResult result) =>
        (result.Item.Prompt, result.Item.Seed, result.Item.Guidance);

    private static string Describe(SweepTradeOff point) => point.Lora is null ? "no LoRA" : $"{point.Stage}, scale {Number(point.Scale)}";

    private static IEnumerable<SweepResult> Of(SweepOutcome outcome, SweepTradeOff kind) =>
        outcome.Results.Where(result => result.Item.Lora == kind.Lora && SweepAxis.ScaleOf(result.Item) == kind.Scale);

    private static string Likeness(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
