using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Display;

/// <summary>A table of texts. Columns whose every cell is a figure stand right-aligned.</summary>
public sealed record TextTable : HtmlView
{
    /// <summary>The headings, at least one.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>The rows, each with as many cells as there are headings.</summary>
    public required IReadOnlyList<IReadOnlyList<string>> Rows { get; init; }

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer)
    {
        if (Rows.FirstOrDefault(row => row.Count != Columns.Count) is { } wrong)
            throw new LabException($"A table row has {wrong.Count} cells for {Columns.Count} columns.");
        bool[] figures = [.. Enumerable.Range(0, Columns.Count).Select(column => Rows.Count > 0 && Rows.All(row => IsFigure(row[column])))];
        writer.Open("div", ("class", "lab-scroll")).Open("table").Open("thead").Open("tr");
        for (var i = 0; i < Columns.Count; i++)
            writer.Element("th", Columns[i], ("scope", "col"), ("class", figures[i] ? "lab-figure" : null));
        writer.Close().Close().Open("tbody");
        foreach (var row in Rows)
        {
            writer.Open("tr");
            for (var i = 0; i < row.Count; i++)
                writer.Element("td", row[i], ("class", figures[i] ? "lab-figure" : null));
            writer.Close();
        }

        writer.Close().Close().Close();
    }

    private static bool IsFigure(string text) => text.Length == 0 || char.IsDigit(text[0]) || (text.Length > 1 && text[0] is '-' or '−' or '+' && char.IsDigit(text[1])) || text == "–";
}
