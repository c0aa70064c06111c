using System.Text;

namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>Replacements in a text of bytes, all given in offsets of the original.</summary>
/// <param name="bytes">The original.</param>
internal sealed class TextEdits(byte[] bytes)
{
    private readonly List<(int Start, int End, string Text)> _edits = [];

    /// <summary>Replaces a range.</summary>
    public void Replace((int Start, int End) range, string text) => _edits.Add((range.Start, range.End, text));

    /// <summary>Sets a property of a cell, which is added after the last one when missing.</summary>
    public void Set(CellSpan cell, string name, string json, int indent)
    {
        if (cell.Values.TryGetValue(name, out var value))
        {
            Replace((value.Value, value.End), json);
            return;
        }

        var separator = indent < 0 ? ", " : ",\n" + new string(' ', indent);
        var last = cell.Values.Values.Max(v => v.End);
        Replace((last, last), $"{separator}\"{name}\": {json}");
    }

    /// <summary>Adds a cell.</summary>
    public void InsertElement(NotebookLayout layout, int after, string json)
    {
        var line = layout.ElementIndent < 0 ? "" : "\n" + new string(' ', layout.ElementIndent);
        if (layout.Cells.Count == 0)
            Replace((layout.CellsStart, layout.CellsStart), line + json + (line.Length > 0 ? "\n" + new string(' ', layout.Unit) : ""));
        else if (after < 0)
            Replace((layout.CellsStart, layout.CellsStart), line + json + ",");
        else
            Replace((layout.Cells[after].End, layout.Cells[after].End), "," + line + json);
    }

    /// <summary>The text with all replacements.</summary>
    public byte[] Apply()
    {
        using var result = new MemoryStream(bytes.Length + _edits.Sum(e => e.Text.Length));
        var position = 0;
        // A stable order: of several insertions at one place the first one given comes first.
        foreach (var (start, end, text) in _edits.OrderBy(e => e.Start))
        {
            result.Write(bytes, position, start - position);
            result.Write(Encoding.UTF8.GetBytes(text));
            position = end;
        }

        result.Write(bytes, position, bytes.Length - position);
        return result.ToArray();
    }
}
