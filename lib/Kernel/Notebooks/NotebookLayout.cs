using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>Where the parts of a notebook lie in its bytes, and how it is indented.</summary>
internal sealed class NotebookLayout
{
    private readonly byte[] _bytes;

    private NotebookLayout(byte[] bytes) => _bytes = bytes;

    /// <summary>The cells' places.</summary>
    public List<CellSpan> Cells { get; } = [];

    /// <summary>The minor format version.</summary>
    public int Minor { get; private set; }

    /// <summary>The place of the minor version's value.</summary>
    public (int Start, int End) MinorValue { get; private set; }

    /// <summary>The offset after the opening bracket of the list of cells.</summary>
    public int CellsStart { get; private set; }

    /// <summary>The offset after the closing bracket of the list of cells.</summary>
    public int CellsEnd { get; private set; }

    /// <summary>The place of the notebook's metadata; empty when it has none.</summary>
    public (int Start, int End) Metadata { get; private set; }

    /// <summary>The language that the metadata names, in lower case.</summary>
    public string Language { get; private set; } = "";

    /// <summary>Spaces of one indentation step; -1 when the file has no line breaks.</summary>
    public int Unit { get; private set; } = -1;

    /// <summary>The indentation of the cells in their list; -1 when the file has no line breaks.</summary>
    public int ElementIndent => Unit < 0 ? -1 : Cells.Count > 0 ? Math.Max(0, ColumnOf(Cells[0].Start)) : 2 * Unit;

    /// <summary>Reads the places.</summary>
    /// <exception cref="JsonException">The text is not JSON or not a notebook of version 4.</exception>
    public static NotebookLayout Read(byte[] bytes)
    {
        var layout = new NotebookLayout(bytes);
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Disallow });
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("the file holds no JSON object");
        var (major, hasCells) = (0, false);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            if (layout.Unit < 0)
                layout.Unit = layout.ColumnOf((int)reader.TokenStartIndex);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            if (name == "cells" && reader.TokenType == JsonTokenType.StartArray)
            {
                hasCells = true;
                layout.ReadCells(ref reader);
                layout.CellsEnd = (int)reader.BytesConsumed;
                continue;
            }

            reader.Skip();
            var value = bytes.AsMemory(start, (int)reader.BytesConsumed - start);
            if (name == "nbformat")
                major = WholeNumber(name, value);
            if (name == "nbformat_minor")
                (layout.Minor, layout.MinorValue) = (WholeNumber(name, value), (start, (int)reader.BytesConsumed));
            if (name == "metadata")
            {
                layout.Metadata = (start, (int)reader.BytesConsumed);
                layout.Language = LanguageOf(StrictJson.ParseObject(value, "metadata"));
            }

        }

        while (reader.Read())
        {
        }

        if (major != 4)
            throw new JsonException(
                FormattableString.Invariant($"its nbformat is {major}; version 4 is needed (open and save it in Jupyter to upgrade it)"));
        if (layout.MinorValue.End == 0)
            throw new JsonException("it has no nbformat_minor (a number from 0)");
        return hasCells ? layout : throw new JsonException("it has no list of cells");
    }

    /// <summary>The indentation of a cell's properties; -1 when they are not on lines of their own.</summary>
    public int IndentOf(CellSpan cell) => cell.Values.Count == 0 ? -1 : ColumnOf(cell.Values.Values.First().Name);

    /// <summary>The number of blanks before an offset on its line; -1 when something else stands before it.</summary>
    public int ColumnOf(int offset)
    {
        var start = offset;
        while (start > 0 && _bytes[start - 1] is (byte)' ' or (byte)'\t')
            start--;
        return start > 0 && _bytes[start - 1] == (byte)'\n' ? offset - start : -1;
    }

    private void ReadCells(ref Utf8JsonReader reader)
    {
        CellsStart = (int)reader.BytesConsumed;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
                throw new JsonException(FormattableString.Invariant($"cell {Cells.Count + 1} is no JSON object"));
            var start = (int)reader.TokenStartIndex;
            var values = new Dictionary<string, (int Name, int Value, int End)>();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var (name, nameStart) = (reader.GetString()!, (int)reader.TokenStartIndex);
                reader.Read();
                var valueStart = (int)reader.TokenStartIndex;
                reader.Skip();
                values[name] = (nameStart, valueStart, (int)reader.BytesConsumed);
            }

            Cells.Add(new CellSpan(start, (int)reader.BytesConsumed, values));
        }
    }

    private static int WholeNumber(string name, ReadOnlyMemory<byte> json) =>
        StrictJson.Parse(json) is JsonValue value && value.GetValueKind() == JsonValueKind.Number
            && value.TryGetValue<int>(out var number) && number >= 0
            ? number : throw new JsonException($"{name} is {StrictJson.Kind(StrictJson.Parse(json))}; a whole number from 0 is needed");

    private static string LanguageOf(JsonObject metadata)
    {
        foreach (var (outer, inner) in new[] { ("language_info", "name"), ("kernelspec", "language") })
        {
            if (StrictJson.Text(StrictJson.Object(metadata, outer, "metadata"), inner, $"metadata.{outer}") is { } name)
                return name.ToLowerInvariant();
        }

        return "";
    }
}
