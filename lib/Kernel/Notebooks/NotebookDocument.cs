using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>
/// A notebook (nbformat 4.0 to 4.5). What is not changed survives byte for byte: unknown fields, ids, metadata and the formatting
/// of untouched cells. Saving upgrades older minor versions to 4.5.
/// </summary>
public sealed class NotebookDocument
{
    private readonly byte[] _bytes;
    private readonly NotebookLayout _layout;
    private readonly List<NotebookCell> _cells;
    private readonly SortedDictionary<int, (JsonArray Outputs, int? Count)> _results = [];
    private readonly Dictionary<int, string> _sources = [];
    private readonly HashSet<int> _stamped = [];
    private readonly HashSet<int> _notExecuted = [];
    private bool _namesKernel;
    private readonly List<(int After, NotebookCell Cell, JsonArray Outputs, int? Count)> _inserted = [];

    private NotebookDocument(byte[] bytes, NotebookLayout layout, List<NotebookCell> cells) =>
        (_bytes, _layout, _cells) = (bytes, layout, cells);

    /// <summary>The cells in order, without inserted ones.</summary>
    public IReadOnlyList<NotebookCell> Cells => _cells;

    /// <summary>The minor version of the file that was read: 0 to 5.</summary>
    public int Minor => _layout.Minor;

    /// <summary>The language that the notebook's metadata names, in lower case; empty when it names none.</summary>
    public string Language => _layout.Language;

    /// <summary>Reads a notebook.</summary>
    /// <param name="path">The .ipynb file.</param>
    /// <returns>The notebook.</returns>
    /// <exception cref="KernelException">The file is missing, is no notebook, or is of another major version.</exception>
    public static NotebookDocument Load(string path)
    {
        try
        {
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KernelException($"The notebook '{path}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads a notebook from memory.</summary>
    /// <param name="bytes">UTF-8 text.</param>
    /// <param name="name">The name for error messages.</param>
    /// <returns>The notebook.</returns>
    /// <exception cref="KernelException">The text is no notebook, or of another major version.</exception>
    public static NotebookDocument Parse(byte[] bytes, string name)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        try
        {
            var text = bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes[3..] : bytes;
            StrictJson.Check(text);
            var layout = NotebookLayout.Read(text);
            return new NotebookDocument(text, layout, [.. layout.Cells.Select((c, i) => ReadCell(text, c, i))]);
        }
        catch (JsonException e)
        {
            var place = e.LineNumber is { } line
                ? FormattableString.Invariant($" (line {line + 1}, byte {e.BytePositionInLine + 1} of the line)")
                : "";
            throw new KernelException($"The notebook '{name}' is not valid: {Shorten(e.Message)}{place}", e);
        }
    }

    /// <summary>Sets what a run of a code cell gave.</summary>
    /// <param name="cell">The cell's position among <see cref="Cells"/>.</param>
    /// <param name="outputs">The outputs, as nbformat has them.</param>
    /// <param name="count">The execution count, or null.</param>
    public void SetOutputs(int cell, JsonArray outputs, int? count) => _results[cell] = (outputs, count);

    /// <summary>The outputs of a run in the order of its cells, inserted ones included; an empty list for each that did not run.</summary>
    internal IReadOnlyList<JsonArray> Results(int count)
    {
        var inserted = _inserted.Select(i => (i.After, Order: 1, i.Outputs));
        var own = _results.Select(r => (After: r.Key, Order: 0, r.Value.Outputs));
        List<JsonArray> outputs = [.. own.Concat(inserted).OrderBy(o => o.After).ThenBy(o => o.Order).Select(o => o.Outputs)];
        return [.. outputs, .. Enumerable.Range(0, Math.Max(0, count - outputs.Count)).Select(_ => new JsonArray())];
    }

    /// <summary>Notes that a cell was not executed: it has no execution count, and the outputs that it had.</summary>
    /// <param name="cell">The cell's position among <see cref="Cells"/>.</param>
    public void SetNotExecuted(int cell) => _notExecuted.Add(cell);

    /// <summary>
    /// Notes in the cell's metadata that its outputs are those of its present text (<c>metadata.lab</c>; see <see cref="NotebookCheck"/>).
    /// </summary>
    /// <param name="cell">The cell's position among <see cref="Cells"/>; its outputs must be set.</param>
    public void Stamp(int cell) => _stamped.Add(cell);

    /// <summary>
    /// Names a C# kernel in the notebook's metadata where it names none: <c>.net-csharp</c>, which .NET Interactive and this program both
    /// install.
    /// </summary>
    public void NameKernel() => _namesKernel = true;

    /// <summary>Replaces a cell's text.</summary>
    /// <param name="cell">The cell's position among <see cref="Cells"/>.</param>
    /// <param name="source">The new text.</param>
    public void SetSource(int cell, string source)
    {
        _sources[cell] = source;
        _cells[cell] = _cells[cell] with { Source = source };
    }

    /// <summary>Inserts a code cell.</summary>
    /// <param name="after">The position among <see cref="Cells"/> after which it comes; -1 for the head.</param>
    /// <param name="cell">The cell.</param>
    /// <param name="outputs">Its outputs.</param>
    /// <param name="count">Its execution count, or null.</param>
    public void Insert(int after, NotebookCell cell, JsonArray outputs, int? count) => _inserted.Add((after, cell, outputs, count));

    /// <summary>The notebook's text with all changes.</summary>
    /// <returns>UTF-8 bytes; the bytes that were read when nothing changed and the file was 4.5.</returns>
    public byte[] ToBytes()
    {
        var edits = new TextEdits(_bytes);
        if (_layout.Minor < 5)
            edits.Replace(_layout.MinorValue, "5");
        for (var i = 0; i < _cells.Count; i++)
        {
            if (_results.TryGetValue(i, out var result))
                WriteResult(edits, _layout.Cells[i], result.Outputs, result.Count);
            else if (_notExecuted.Contains(i))
                edits.Set(_layout.Cells[i], "execution_count", "null", _layout.IndentOf(_layout.Cells[i]));
            if (_sources.TryGetValue(i, out var source))
                WriteSource(edits, _layout.Cells[i], source);
            if (_stamped.Contains(i))
                WriteStamp(edits, _layout.Cells[i], CellStamp.Of(_cells[i].Source, _results[i].Outputs.Count));
            if (_cells[i].Id is null)
                WriteId(edits, _layout.Cells[i]);
        }

        if (_namesKernel)
            KernelMetadata.AddTo(edits, _bytes, _layout);

        foreach (var (after, cell, outputs, count) in _inserted)
            WriteInserted(edits, after, cell, outputs, count);
        return edits.Apply();
    }

    /// <summary>Writes the notebook with all changes: a reader sees the old file or the whole new one.</summary>
    /// <param name="path">The file; its folder is created when missing.</param>
    public void Save(string path)
    {
        var target = Path.GetFullPath(path);
        var temporary = FormattableString.Invariant($"{target}.{Environment.ProcessId}.tmp");
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.WriteAllBytes(temporary, ToBytes());
            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw new KernelException($"The notebook '{path}' cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Deletes what programs that were killed while they wrote a notebook left beside it.</summary>
    /// <param name="path">The notebook.</param>
    public static void DeleteLeftovers(string path)
    {
        var target = Path.GetFullPath(path);
        if (!Directory.Exists(Path.GetDirectoryName(target)))
            return;
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(target)!, Path.GetFileName(target) + ".*.tmp"))
        {
            var writer = Path.GetFileNameWithoutExtension(file)[(Path.GetFileName(target).Length + 1)..];
            if (int.TryParse(writer, NumberStyles.None, CultureInfo.InvariantCulture, out var process) && !IsRunning(process))
                File.Delete(file);
        }
    }

    private static bool IsRunning(int process)
    {
        try
        {
            using var found = System.Diagnostics.Process.GetProcessById(process);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static NotebookCell ReadCell(byte[] bytes, CellSpan span, int index)
    {
        var what = FormattableString.Invariant($"cell {index + 1}");
        var json = JsonNode.Parse(bytes.AsSpan(span.Start, span.End - span.Start))!.AsObject();
        var kind = StrictJson.Text(json, "cell_type", what) ?? "";
        if (kind is not ("code" or "markdown" or "raw"))
            throw new JsonException($"{what} has the cell_type '{StrictJson.Beginning(kind)}'; code, markdown and raw are known");
        var source = json["source"] switch
        {
            JsonArray => string.Concat(StrictJson.Texts(json, "source", what)!),
            JsonValue value when value.TryGetValue<string>(out var whole) => whole,
            var other => throw StrictJson.Wrong(what, "source", other, "a text or a list of lines"),
        };
        if (json["outputs"] is not (null or JsonArray))
            throw StrictJson.Wrong(what, "outputs", json["outputs"], "a list");
        var metadata = StrictJson.Object(json, "metadata", what);
        var tags = StrictJson.Texts(metadata, "tags", what + ", metadata") ?? [];
        return new NotebookCell(kind, StrictJson.Text(json, "id", what), source, tags, LanguageOf(metadata, what));
    }

    // Polyglot Notebooks, .NET Interactive's first extension and VS Code itself have each their own place for it.
    private static string? LanguageOf(JsonObject? metadata, string what)
    {
        foreach (var (tool, name) in new[]
        {
            ("polyglot_notebook", "kernelName"), ("dotnet_interactive", "kernelName"), ("vscode", "kernelName"),
            ("dotnet_interactive", "language"), ("vscode", "languageId"),
        })
        {
            if (StrictJson.Text(StrictJson.Object(metadata, tool, what + ", metadata"), name, $"{what}, metadata.{tool}") is { } language)
                return language;
        }

        return null;
    }

    private void WriteResult(TextEdits edits, CellSpan cell, JsonArray outputs, int? count)
    {
        var indent = _layout.IndentOf(cell);
        edits.Set(cell, "execution_count", count is { } c ? c.ToString(CultureInfo.InvariantCulture) : "null", indent);
        edits.Set(cell, "outputs", NotebookJson.Write(outputs, _layout.Unit, indent), indent);
    }

    private void WriteSource(TextEdits edits, CellSpan cell, string source)
    {
        var indent = _layout.IndentOf(cell);
        edits.Set(cell, "source", NotebookJson.Write(NotebookJson.Lines(source), _layout.Unit, indent), indent);
    }

    private void WriteStamp(TextEdits edits, CellSpan cell, CellStamp stamp)
    {
        var metadata = cell.Values.TryGetValue("metadata", out var value)
            ? JsonNode.Parse(_bytes.AsSpan(value.Value, value.End - value.Value)) as JsonObject ?? []
            : [];
        var indent = _layout.IndentOf(cell);
        if (stamp.Write(metadata))
            edits.Set(cell, "metadata", NotebookJson.Write(metadata, _layout.Unit, indent), indent);
    }

    private void WriteId(TextEdits edits, CellSpan cell) =>
        edits.Set(cell, "id", $"\"{Guid.NewGuid().ToString("N")[..8]}\"", _layout.IndentOf(cell));

    private void WriteInserted(TextEdits edits, int after, NotebookCell cell, JsonArray outputs, int? count)
    {
        var metadata = new JsonObject { ["tags"] = new JsonArray([.. cell.Tags.Select(t => JsonValue.Create(t))]) };
        if (count is not null)
            CellStamp.Of(cell.Source, outputs.Count).Write(metadata);
        var json = new JsonObject
        {
            ["cell_type"] = cell.Kind,
            ["execution_count"] = count,
            // The same in every run, so that the file stays the same; a notebook holds one cell of each inserted kind.
            ["id"] = cell.Id ?? CellStamp.HashOf(string.Join(' ', cell.Tags))[..8],
            ["metadata"] = metadata,
            ["outputs"] = outputs.DeepClone(),
            ["source"] = NotebookJson.Lines(cell.Source),
        };
        edits.InsertElement(_layout, after, NotebookJson.Write(json, _layout.Unit, _layout.ElementIndent));
    }

    private static string Shorten(string message)
    {
        var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? message : message[..end].TrimEnd('.', ' ');
    }
}
