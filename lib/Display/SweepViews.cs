using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Display;

/// <summary>How sweeps are shown: grids of their pictures along any two or three axes, and tables of their scores.</summary>
public static class SweepViews
{
    /// <summary>The name of a sweep's contact sheet in its folder.</summary>
    public const string SheetName = "sheet.png";

    /// <summary>A sweep's pictures in rows and columns; of several in one place the last is shown. Prompt, seed, settings and scores stand in each cell's details.</summary>
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
        var cells = outcome.Results.GroupBy(result => (Row: rows.LabelOf(result.Item), Group: Group(result), Column: columns.LabelOf(result.Item)))
            .ToDictionary(group => group.Key, group => Cell(outcome.Folder, group.Last()));
        string[] rowNames = [.. cells.Keys.Select(key => key.Row).Distinct()];
        (string Group, string Column)[] columnNames = [.. cells.Keys.Select(key => key.Group).Distinct()
            .SelectMany(group => cells.Keys.Where(key => key.Group == group).Select(key => (key.Group, key.Column)).Distinct())];
        return new ImageGrid
        {
            Rows = [.. rowNames.Select(row => columnNames.Select(column => cells.GetValueOrDefault((row, column.Group, column.Column))).ToArray())],
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
        return ImageGrid.Of(outcome.Results.Select(result => Cell(outcome.Folder, result, caption?.Invoke(result) ?? result.Item.Prompt)), columns);
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
        string[] scores = [.. means.SelectMany(mean => mean.Scores.Keys).Distinct()], sides = [.. means.Select(mean => mean.Column).Distinct()];
        if (scores.Length == 0)
            return Unscored;
        string[] names = [.. means.Select(mean => mean.Row).Distinct()];
        var lookup = means.Concat(names.Length > 1 ? all : []).ToDictionary(mean => (mean.Row, mean.Column), mean => mean.Scores);
        return new TextTable
        {
            Columns = [Title(rows.Name), .. scores.SelectMany(score => sides.Select(side => side.Length == 0 ? score : $"{score} {side}"))],
            Rows = [.. lookup.Keys.Select(key => key.Row).Distinct().Select(row => (IReadOnlyList<string>)
                [row, .. scores.SelectMany(score => sides.Select(side => Figure(lookup.GetValueOrDefault((row, side)), score)))])],
        };
    }

    /// <summary>Mean scores beside what is expected of them.</summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="sides">What divides its pictures, such as before and after.</param>
    /// <param name="expected">A score, the place on <paramref name="sides"/>, and what is expected there in words.</param>
    /// <returns>A table; one that says so where nothing scored the pictures.</returns>
    public static TextTable Beside(this SweepOutcome outcome, SweepAxis sides, params (string Score, string Side, string Expected)[] expected)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(expected);
        var means = SweepMean.By(outcome.Results, sides).ToDictionary(mean => mean.Row, mean => mean);
        return means.Values.All(mean => mean.Scores.Count == 0) ? Unscored : new TextTable
        {
            Columns = ["Score", "Pictures", "Measured", "Expected"],
            Rows = [.. expected.Select(row => (IReadOnlyList<string>)
                [row.Score, $"{means.GetValueOrDefault(row.Side)?.Count ?? 0} {row.Side}", Figure(means.GetValueOrDefault(row.Side)?.Scores, row.Score), row.Expected])],
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

    /// <summary>Writes a grid as one picture into the sweep's folder, a contact sheet to keep or to send.</summary>
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
        var negative = item.NegativePrompt is { Length: > 0 } text ? $" · not: {text}" : string.Empty;
        return string.Create(CultureInfo.InvariantCulture, $"seed {item.Seed} · {lora} · guidance {item.Guidance:0.##} · {item.Steps} steps{negative}")
            + string.Concat((result.Scores ?? new Dictionary<string, double>()).Select(score => string.Create(CultureInfo.InvariantCulture, $" · {score.Key} {score.Value:0.00}")));
    }

    /// <summary>A picture of a sweep as a cell of a grid; without a caption, its prompt stands in the details.</summary>
    internal static GridCell Cell(string folder, SweepResult result, string caption = "") =>
        GridCell.FromFile(Path.Combine(folder, result.Path), caption, caption == result.Item.Prompt ? Describe(result) : $"{result.Item.Prompt}\n{Describe(result)}");

    /// <summary>A mean as text; a dash where there is none.</summary>
    internal static string Figure(IReadOnlyDictionary<string, double>? scores, string name) =>
        scores is not null && scores.TryGetValue(name, out var value) ? value.ToString("0.00", CultureInfo.InvariantCulture) : "–";

    private static TextTable Unscored => new()
    {
        Columns = ["Scores"],
        Rows = [["None: the lab's classifier reads the drawn world of the miniature alone. Judge these pictures by eye, or score them with a delegate of your own."]],
    };

    private static string Title(string name) => name.Length == 0 ? name : char.ToUpperInvariant(name[0]) + name[1..];
}
