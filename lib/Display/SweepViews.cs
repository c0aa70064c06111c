using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Display;

/// <summary>Views of sweeps: grids of pictures along any two or three axes, and tables of scores.</summary>
public static class SweepViews
{
    /// <summary>The name of a sweep's contact sheet in its folder.</summary>
    public const string SheetName = "sheet.png";

    /// <summary>The progress bar of a sweep that has not started.</summary>
    public static ProgressBar Waiting => new() { Total = 0, Label = "generating", Unit = "pictures" };

    /// <summary>
    /// Generates a sweep and shows its progress, in the output of the cell that runs; then writes the page of its pictures,
    /// <c>index.html</c>, in its folder.
    /// </summary>
    /// <param name="study">The models.</param>
    /// <param name="name">What the sweep is called; its folder's name.</param>
    /// <param name="axes">What varies.</param>
    /// <param name="update">Shows a view in the place of the former, somewhere else; null for the cell's output.</param>
    /// <param name="cancellation">Ends it between two denoising steps; what is done is kept.</param>
    /// <exception cref="LabException">An axis is empty, an item is not valid for the model, or the LoRA does not fit.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static SweepOutcome Generate(
        this SweepStudy study, string name, SweepAxes axes, Action<object>? update = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(study);
        using var live = update is null ? LiveView.Show(Waiting) : new LiveView(update);
        var bar = Waiting with { Label = name, Started = DateTimeOffset.UtcNow };
        var outcome = study.Run(
            name, axes,
            progress => live.Update(
                bar with
                {
                    Total = progress.Total,
                    Done = progress.Fraction * progress.Total,
                    DoneAtStart = progress.Reused,
                    Note = ShownText.Line(progress.Prompt),
                }), cancellation);
        // Of several parts the last writes the page.
        if (outcome.Missing == 0)
            SweepPage.Write(outcome.Folder, name);
        return outcome;
    }

    /// <summary>A study's configuration.</summary>
    /// <param name="study">The study.</param>
    public static FactList Facts(this SweepStudy study)
    {
        ArgumentNullException.ThrowIfNull(study);
        var config = study.Config;
        return new FactList(
        [
            ("model", Path.GetFileName(Path.TrimEndingDirectorySeparator(config.Model))),
            ("LoRA", Path.GetFileName(Path.TrimEndingDirectorySeparator(config.Lora))),
            ("pictures", $"{study.Pipeline.DefaultSize} px"),
            ("steps", config.Steps.ToString(CultureInfo.InvariantCulture)),
            ("guidance", config.Guidance.ToString("0.##", CultureInfo.InvariantCulture)),
            ("seeds", string.Join(", ", config.Seeds)),
            ("judge", study.Judge?.Name ?? "none"),
        ]);
    }

    /// <summary>A list of prompts with the numbers that start their folder names.</summary>
    /// <param name="prompts">The prompts.</param>
    public static TextTable List(IReadOnlyList<string> prompts)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        return TextTable.Of(
            prompts.Index(), ("No.", entry => entry.Index.ToString("D3", CultureInfo.InvariantCulture)),
            ("Prompt", entry => ShownText.Line(entry.Item)));
    }

    /// <summary>
    /// A sweep's pictures in rows and columns; of several in one cell the last is shown. Prompt, seed, settings and scores stand in each
    /// cell's details.
    /// </summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="rows">What makes rows.</param>
    /// <param name="columns">What makes columns.</param>
    /// <param name="groups">What makes groups of columns, such as before and after; null for none.</param>
    public static ImageGrid Grid(this SweepOutcome outcome, SweepAxis rows, SweepAxis columns, SweepAxis? groups = null)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(columns);
        string Group(SweepResult result) => groups?.LabelOf(result.Item) ?? string.Empty;
        var cells = outcome.Results.GroupBy(
            result => (Row: rows.LabelOf(result.Item), Group: Group(result), Column: columns.LabelOf(result.Item)))
            .ToDictionary(group => group.Key, group => Cell(outcome.Folder, group.Last()));
        string[] rowNames = [.. cells.Keys.Select(key => key.Row).Distinct()];
        (string Group, string Column)[] columnNames = [.. cells.Keys.Select(key => key.Group).Distinct()
            .SelectMany(group => cells.Keys.Where(key => key.Group == group).Select(key => (key.Group, key.Column)).Distinct())];
        return new ImageGrid
        {
            Rows = [.. rowNames.Select(
                row => columnNames.Select(column => cells.GetValueOrDefault((row, column.Group, column.Column))).ToArray())],
            RowHeadings = rowNames.All(string.IsNullOrEmpty) ? [] : rowNames,
            ColumnHeadings = columnNames.All(name => name.Column.Length == 0) ? [] : [.. columnNames.Select(name => name.Column)],
            ColumnGroups = groups is null ? [] : [.. columnNames.GroupBy(name => name.Group).Select(group => (group.Key, group.Count()))],
        };
    }

    /// <summary>A sweep's pictures in reading order, each with a caption.</summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="columns">Pictures in a row, at least 1.</param>
    /// <param name="caption">What stands under a picture; null for its prompt.</param>
    public static ImageGrid Gallery(this SweepOutcome outcome, int columns, Func<SweepResult, string>? caption = null)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        return ImageGrid.Of(
            outcome.Results.Select(result => Cell(outcome.Folder, result, caption?.Invoke(result) ?? result.Item.Prompt)), columns);
    }

    /// <summary>Mean scores by one or two axes, with the mean over all as the last row.</summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="rows">What makes rows.</param>
    /// <param name="columns">What divides each score into columns, such as before and after; null for nothing.</param>
    /// <returns>A table; one that says so where nothing scored the pictures.</returns>
    public static TextTable Table(this SweepOutcome outcome, SweepAxis rows, SweepAxis? columns = null)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(rows);
        var means = SweepMean.By(outcome.Results, rows, columns);
        var all = SweepMean.By(outcome.Results, new SweepAxis("all", _ => "mean"), columns);
        string[] scores = [.. means.SelectMany(mean => mean.Scores.Keys).Distinct()], sides =
            [.. means.Select(mean => mean.Column).Distinct()];
        if (scores.Length == 0)
            return Unscored(outcome);
        string[] names = [.. means.Select(mean => mean.Row).Distinct()];
        var lookup = means.Concat(names.Length > 1 ? all : []).ToDictionary(mean => (mean.Row, mean.Column), mean => mean.Scores);
        return new TextTable
        {
            Columns = [Title(rows.Name), .. scores.SelectMany(score => sides.Select(side => side.Length == 0 ? score : $"{score} {side}"))],
            Rows = [.. lookup.Keys.Select(key => key.Row).Distinct().Select(row => (IReadOnlyList<string>)
                [row, .. scores.SelectMany(score => sides.Select(side => Figure(lookup.GetValueOrDefault((row, side)), score)))])],
        };
    }

    /// <summary>A mean score as curves over a number.</summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="score">The score's name.</param>
    /// <param name="x">The number, such as <see cref="SweepAxis.ScaleOf"/>.</param>
    /// <param name="xTitle">What the number is of.</param>
    /// <param name="series">One curve for each place on this axis.</param>
    public static LineChart Curves(this SweepOutcome outcome, string score, Func<SweepItem, double> x, string xTitle, SweepAxis series)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(series);
        return new LineChart
        {
            XTitle = xTitle,
            YTitle = Title(outcome, score),
            Caption = Caption(outcome),
            Series = [.. Scored(outcome, score).GroupBy(result => series.LabelOf(result.Item))
                .Select(group => Curve(group.Key, group, score, x))],
        };
    }

    /// <summary>A mean score as bars, the highest first.</summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="score">The score's name.</param>
    /// <param name="categories">What makes bars.</param>
    /// <param name="series">What puts several bars side by side, such as before and after; the order is that of the last.</param>
    public static BarChart Bars(this SweepOutcome outcome, string score, SweepAxis categories, SweepAxis series)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(categories);
        ArgumentNullException.ThrowIfNull(series);
        var means = SweepMean.By(Scored(outcome, score), categories, series)
            .ToDictionary(mean => (mean.Row, mean.Column), mean => mean.Scores[score]);
        string[] sides = [.. means.Keys.Select(key => key.Column).Distinct()];
        string[] names =
            [.. means.Keys.Select(key => key.Row).Distinct()
                .OrderByDescending(name => means.GetValueOrDefault((name, sides[^1]), double.MinValue))];
        return new BarChart
        {
            YTitle = Title(outcome, score),
            Caption = Caption(outcome),
            Categories = names,
            Series = [.. sides.Select(
                side => ChartSeries.Of(side, names.Select(name => means.GetValueOrDefault((name, side), double.NaN))))],
        };
    }

    /// <summary>Two mean scores against each other, a point for each place on an axis.</summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="x">The score along the horizontal axis.</param>
    /// <param name="y">The score along the vertical axis.</param>
    /// <param name="points">What makes points; their names are shown on hover.</param>
    /// <param name="series">What gives points their colour.</param>
    public static ScatterChart Scatter(this SweepOutcome outcome, string x, string y, SweepAxis points, SweepAxis series)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        var means = SweepMean.By(Scored(outcome, x).Where(result => result.Scores!.ContainsKey(y)), series, points);
        return new ScatterChart
        {
            XTitle = Title(outcome, x),
            YTitle = Title(outcome, y),
            Caption = Caption(outcome),
            Series = [.. means.GroupBy(mean => mean.Row).Select(group =>
                ChartSeries.Of(
                    group.Key, group.Select(mean => mean.Scores[x]),
                    group.Select(mean => mean.Scores[y])) with { Labels = [.. group.Select(mean => mean.Column)] })],
        };
    }

    /// <summary>Mean scores beside expected ones; scores that no picture has are left out.</summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="sides">What divides its pictures, such as before and after.</param>
    /// <param name="expected">A score, the place on <paramref name="sides"/>, and what is expected there in words.</param>
    /// <returns>A table; one that says so where nothing scored the pictures.</returns>
    public static TextTable Beside(
        this SweepOutcome outcome, SweepAxis sides, params (string Score, string Side, string Expected)[] expected)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(expected);
        var means = SweepMean.By(outcome.Results, sides).ToDictionary(mean => mean.Row, mean => mean);
        return outcome.Means.Count == 0 ? Unscored(outcome) : new TextTable
        {
            Columns = ["Score", "Pictures", "Measured", "Expected"],
            Note = JudgeOf(outcome) is { } judge ? $"Judged by {judge}." : string.Empty,
            Rows = [.. expected.Where(row => outcome.Means.ContainsKey(row.Score)).Select(row => (IReadOnlyList<string>)
                [row.Score, $"{means.GetValueOrDefault(row.Side)?.Count ?? 0} {row.Side}",
                    Figure(means.GetValueOrDefault(row.Side)?.Scores, row.Score), row.Expected])],
        };
    }

    /// <summary>The records of a sweep as a table: where each picture lies, what it was made with, how it scored.</summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="most">Rows that are shown; at least 1.</param>
    public static TextTable Records(this SweepOutcome outcome, int most = 6)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        return new TextTable
        {
            Columns = ["Picture", "Settings and scores", "Seconds"],
            Rows = [.. outcome.Results.Take(most).Select(result => (IReadOnlyList<string>)
                [result.Path, Describe(result), result.Seconds.ToString("0.00", CultureInfo.InvariantCulture)])],
        };
    }

    /// <summary>Writes a grid to the sweep's folder as one picture, a contact sheet.</summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="grid">How its pictures stand.</param>
    /// <returns>The path, relative to the project where it lies in it.</returns>
    public static string SaveSheet(this SweepOutcome outcome, ImageGrid grid)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(grid);
        var path = Path.Combine(outcome.Folder, SheetName);
        ImageEncoder.Save(path, (grid with { Title = outcome.Name }).ToImage());
        return ProjectFolder.Near(path);
    }

    /// <summary>What a picture was made with and how it scored, in one line.</summary>
    /// <param name="result">Its record.</param>
    public static string Describe(SweepResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var item = result.Item;
        var lora = item.Lora is null ? "no LoRA" : string.Create(CultureInfo.InvariantCulture, $"LoRA × {item.LoraScale:0.##}");
        var negative = item.NegativePrompt is { Length: > 0 } text ? $" · not: {ShownText.Line(text)}" : string.Empty;
        return string.Create(
            CultureInfo.InvariantCulture, $"seed {item.Seed} · {lora} · guidance {item.Guidance:0.##} · {item.Steps} steps{negative}")
            + string.Concat(
                (result.Scores ?? new Dictionary<string, double>()).Select(
                    score => string.Create(CultureInfo.InvariantCulture, $" · {score.Key} {score.Value:0.00#}")));
    }

    /// <summary>A picture of a sweep as a cell of a grid; without a caption, its prompt stands in the details.</summary>
    internal static GridCell Cell(string folder, SweepResult result, string caption = "") =>
        GridCell.FromFile(
            Path.Combine(folder, result.Path), caption,
            caption == result.Item.Prompt ? Describe(result) : $"{ShownText.Line(result.Item.Prompt)}\n{Describe(result)}");

    /// <summary>A mean as text; a dash where there is none.</summary>
    internal static string Figure(IReadOnlyDictionary<string, double>? scores, string name) =>
        scores is not null && scores.TryGetValue(name, out var value) ? value.ToString("0.000", CultureInfo.InvariantCulture) : "–";

    /// <summary>What stands in the place of scores where nothing scored the pictures.</summary>
    internal static TextTable Unscored(SweepOutcome outcome) => new() { Columns = ["Scores"], Rows = [[NoScores(outcome)]] };

    private static string? JudgeOf(SweepOutcome outcome) =>
        outcome.Results.Select(result => result.Judge).FirstOrDefault(name => name is not null);

    private static string NoScores(SweepOutcome outcome) => JudgeOf(outcome) ?? "none: nothing judged these pictures";

    private static string Title(SweepOutcome outcome, string score) => JudgeOf(outcome) is { } judge ? $"{score}, by {judge}" : score;

    private static IEnumerable<SweepResult> Scored(SweepOutcome outcome, string score) =>
        outcome.Results.Where(result => result.Scores?.ContainsKey(score) == true);

    private static string Caption(SweepOutcome outcome) => outcome.Means.Count == 0 ? NoScores(outcome) : string.Empty;

    private static ChartSeries Curve(string name, IEnumerable<SweepResult> results, string score, Func<SweepItem, double> x)
    {
        var points = results.GroupBy(result => x(result.Item)).OrderBy(group => group.Key)
            .Select(group => (X: group.Key, Y: group.Average(result => result.Scores![score]))).ToArray();
        return ChartSeries.Of(
            name, points.Select(point => point.X), points.Select(point => point.Y)) with
        { Mark = ChartMark.LineAndPoints };
    }

    private static string Title(string name) => name.Length == 0 ? name : char.ToUpperInvariant(name[0]) + name[1..];
}
