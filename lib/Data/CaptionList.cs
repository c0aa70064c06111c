using System.Text.Json;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>
/// A folder's <c>metadata.jsonl</c>, one JSON object a line that names a picture and its text, or <c>metadata.csv</c>, whose first line has
/// the keys.
/// </summary>
internal sealed class CaptionList
{
    public const string FileName = "metadata.jsonl";

    private const string CsvName = "metadata.csv";

    private const string FileNameColumn = "file_name";
    private const int MostBytes = 64 << 20;

    private static readonly string[] _textColumns = ["text", "caption", "prompt"];

    private readonly string _folder;
    private readonly string _path;
    private readonly string _imageColumn;
    private readonly SortedSet<string> _columns = new(StringComparer.Ordinal);
    private readonly List<(string Where, string Picture, Dictionary<string, JsonField> Entry)> _entries = [];
    private readonly List<string> _remarks = [];

    private CaptionList(string folder, string path, string imageColumn) =>
        (_folder, _path, _imageColumn) = (Path.GetFullPath(folder), path, imageColumn);

    /// <summary>The names that a list may have, the one that counts first.</summary>
    public static IReadOnlyList<string> Names { get; } = [FileName, CsvName];

    /// <summary>The texts by the full path of their pictures; null where a line has none.</summary>
    public Dictionary<string, string?> Captions { get; } = new(StringComparer.Ordinal);

    /// <summary>The file's name.</summary>
    public string Name => Path.GetFileName(_path);

    /// <summary>Notices about valid input, one sentence each.</summary>
    public IReadOnlyList<string> Remarks => _remarks;

    /// <summary>Reads the list of a folder.</summary>
    /// <param name="folder">The pictures' folder.</param>
    /// <param name="path">The list, by its path.</param>
    /// <param name="imageColumn">The key that names a line's picture; "file_name" is taken as well.</param>
    /// <param name="captionColumn">The key of its text; null takes "text", "caption" or "prompt".</param>
    /// <exception cref="LabException">A line is malformed; the message names file, line and key.</exception>
    public static CaptionList Read(string folder, string path, string imageColumn, string? captionColumn)
    {
        var list = new CaptionList(folder, path, imageColumn);
        var text = TextFile.Read(path, "The file", MostBytes);
        foreach (var (number, line) in Path.GetFileName(path) == CsvName ? CsvLines(text, path) : JsonLines(text))
            list.ReadLine(line, $"{path}, line {number}");
        if (Path.GetFileName(path) == FileName && File.Exists(Path.Combine(folder, CsvName)))
            list._remarks.Add($"{folder} has {FileName} and {CsvName}: the first counts.");
        var column = list.TextColumn(captionColumn);
        foreach (var (where, picture, entry) in list._entries)
        {
            var name = ShownText.Line(Path.GetRelativePath(list._folder, picture));
            if (!list.Captions.TryAdd(picture, Text(entry, column, where)))
                throw new LabException($"{where} names the picture {name} a second time.");
        }

        return list;
    }

    private static IEnumerable<(int Number, string Line)> JsonLines(string text) =>
        text.Split(["\r\n", "\n", "\r"], StringSplitOptions.None).Select((line, index) => (index + 1, line))
            .Where(line => !string.IsNullOrWhiteSpace(line.line));

    // Each row as the JSON object that it stands for; an empty field is a key that the row lacks.
    private static IEnumerable<(int Number, string Line)> CsvLines(string text, string path)
    {
        IReadOnlyList<string>? keys = null;
        foreach (var (number, fields) in CsvText.Rows(text, path))
        {
            if (keys is null)
                keys = fields;
            else if (fields.Count != keys.Count)
                throw new LabException($"{path}, line {number} has {fields.Count} fields, and its first line names {keys.Count}.");
            else
                yield return (number, JsonSerializer.Serialize(
                    keys.Zip(fields).Where(field => field.Second.Length > 0).DistinctBy(field => field.First)
                        .ToDictionary(field => field.First, field => field.Second)));
        }
    }

    private void ReadLine(string line, string where)
    {
        var json = JsonField.Parse(line, where);
        if (!json.IsObject)
            throw new LabException($"{where} is not a JSON object, as {{\"{FileNameColumn}\": \"1.jpg\", \"text\": \"...\"}}.");
        var entry = json.Entries().ToDictionary(field => field.Key, field => field.Value, StringComparer.Ordinal);
        _columns.UnionWith(entry.Keys);
        var name = Text(entry, FileNameColumn, where) ?? Text(entry, _imageColumn, where)
            ?? throw new LabException($"{where} names no picture: the key \"{FileNameColumn}\" (or \"{_imageColumn}\") is missing.");
        _entries.Add((where, Resolve(name, where), entry));
    }

    /// <summary>A key's text; null when the line lacks the key.</summary>
    private static string? Text(Dictionary<string, JsonField> entry, string key, string where) =>
        entry.TryGetValue(key, out var field) ? PromptText.Check(field.Text(), $"{where}: {key}") : null;

    /// <summary>The full path of the picture that a line names: relative to the folder, with subfolders, or absolute.</summary>
    private string Resolve(string name, string where)
    {
        string[] candidates = name.Contains('\0', StringComparison.Ordinal) ? [] : [name, name.Replace('\\', '/')];
        if (candidates.Select(candidate => Path.GetFullPath(Path.Combine(_folder, candidate))).FirstOrDefault(File.Exists) is not { } full)
        {
            var there = Directory.GetFiles(_folder).Select(file => Path.GetFileName(file)).Where(PictureName.Is);
            var nearest = NearestNames.Describe(Path.GetFileName(ShownText.Line(name)), there);
            throw new LabException($"{where} names the picture {ShownText.Line(name)}, which is not in the folder. {nearest}");
        }

        return full.StartsWith(Path.TrimEndingDirectorySeparator(_folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? full
            : throw new LabException(
                $"{where} names the picture {ShownText.Line(name)}, which is not in {_folder}: a list is for its own folder.");
    }

    private string TextColumn(string? asked)
    {
        if (asked is not null && !_columns.Contains(asked))
            throw new LabException($"{_path} has no key \"{ShownText.Line(asked)}\"; its keys are {Keys(_columns)}.");
        if (asked is not null)
            return asked;
        string[] known = [.. _textColumns.Where(column => column != _imageColumn && _columns.Contains(column))];
        string[] others = [.. _columns.Where(column => column != FileNameColumn && column != _imageColumn)];
        if (known.Length == 0 && others.Length > 0)
        {
            throw new LabException(
                $"{_path} has none of the keys {Keys(_textColumns)} that captions are taken from; its keys are {Keys(_columns)}. "
                + "Name the right one with --caption_column.");
        }

        if (known.Length > 1)
            _remarks.Add($"{_path} has the keys {Keys(known)}: captions are taken from \"{known[0]}\"; --caption_column names another.");
        else if (known.Length == 1 && known[0] != _textColumns[0])
            _remarks.Add($"{_path} has no key \"{_textColumns[0]}\": captions are taken from \"{known[0]}\".");
        return known.FirstOrDefault(_textColumns[0]);
    }

    private static string Keys(IEnumerable<string> columns) => ShownText.Names([.. columns.Select(column => $"\"{column}\"")], 12);
}
