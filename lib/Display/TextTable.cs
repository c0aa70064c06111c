using System.Globalization;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Display;

/// <summary>A table of texts. Columns whose every cell is a figure stand right-aligned.</summary>
public sealed record TextTable : HtmlView
{
    private const int LongestFigure = 24;

    /// <summary>The headings, at least one.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>The rows, each with as many cells as there are headings.</summary>
    public required IReadOnlyList<IReadOnlyList<string>> Rows { get; init; }

    /// <summary>A line over the table; empty for none.</summary>
    public string Title { get; init; } = string.Empty;

    /// <summary>A remark under the table, such as what its figures are; empty for none.</summary>
    public string Note { get; init; } = string.Empty;

    /// <summary>A table with a row for each item.</summary>
    /// <typeparam name="T">What the rows are of.</typeparam>
    /// <param name="items">The items, in order.</param>
    /// <param name="columns">Heading and cell of each column, from left to right; numbers are written invariantly, null is "–".</param>
    public static TextTable Of<T>(IEnumerable<T> items, params (string Heading, Func<T, object?> Cell)[] columns)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(columns);
        return new TextTable
        {
            Columns = [.. columns.Select(column => column.Heading)],
            Rows = [.. items.Select(item => columns.Select(column => Text(column.Cell(item))).ToArray())],
        };
    }

    /// <summary>The table in columns of equal width, headings underlined.</summary>
    /// <exception cref="LabException">A row has another number of cells than there are headings.</exception>
    public override string ToText()
    {
        Validate();
        int[] widths =
            [.. Enumerable.Range(0, Columns.Count)
                .Select(column => Rows.Select(row => row[column].Length).Append(Columns[column].Length).Max())];
        var figures = Figures();
        string Line(IReadOnlyList<string> cells) =>
            string.Join(
                "  ", cells.Select((cell, column) => figures[column] ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column])))
                    .TrimEnd();
        string[] lines =
        [
            .. Title.Length > 0 ? new[] { Title } : [],
            Line(Columns),
            string.Join("  ", widths.Select(width => new string('-', width))),
            .. Rows.Select(Line),
            .. Note.Length > 0 ? new[] { Note } : [],
        ];
        return string.Join("\n", lines);
    }

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer)
    {
        Validate();
        var figures = Figures();
        writer.Use(ViewAsset.Table);
        if (Title.Length > 0)
            writer.Element("h3", Title);
        writer.Open("div", ("class", "lab-scroll")).Open("table").Open("thead").Open("tr");
        for (var i = 0; i < Columns.Count; i++)
            writer.Element("th", Columns[i], ("scope", "col"), ("class", figures[i] ? "lab-figure" : null), ("align", Align(figures[i])));
        writer.Close().Close().Open("tbody");
        foreach (var row in Rows)
        {
            writer.Open("tr");
            for (var i = 0; i < row.Count; i++)
                writer.Element("td", row[i], ("class", figures[i] ? "lab-figure" : null), ("align", Align(figures[i])));
            writer.Close();
        }

        writer.Close().Close().Close();
        if (Note.Length > 0)
            writer.Element("p", Note, ("class", "lab-note"));
    }

    // Where styles are taken out, as on some sites that show notebooks, the attribute still aligns.
    private static string Align(bool figure) => figure ? "right" : "left";

    private void Validate()
    {
        if (Rows.FirstOrDefault(row => row.Count != Columns.Count) is { } wrong)
            throw new LabException($"A table row has {wrong.Count} cells for {Columns.Count} columns.");
    }

    private bool[] Figures() =>
        [.. Enumerable.Range(0, Columns.Count).Select(column => Rows.Count > 0 && Rows.All(row => IsFigure(row[column])))];

    // A figure with its unit is short; a long text that begins with a digit is the name of something.
    private static bool IsFigure(string text) =>
        text.Length <= LongestFigure
        && (text.Length == 0 || char.IsDigit(text[0]) || (text.Length > 1 && text[0] is '-' or '−' or '+' && char.IsDigit(text[1]))
        || text == "–");

    private static string Text(object? value) => value switch
    {
        null => "–",
        double number => number.ToString("0.####", CultureInfo.InvariantCulture),
        float number => number.ToString("0.####", CultureInfo.InvariantCulture),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? string.Empty,
    };
}
