using System.Text.Json;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Data;

/// <summary>
/// The pictures' own prompts: from <c>metadata.jsonl</c> in their folder (one JSON object a line that names a picture and its text), else from
/// <c>NAME.txt</c> beside <c>NAME.jpg</c>. A picture without either, or with blank text, has none.
/// </summary>
internal sealed class CaptionFiles
{
    public const string MetadataName = "metadata.jsonl";

    private const string DefaultCaptionColumn = "text";
    private const string FileNameColumn = "file_name";

    private readonly Dictionary<string, string?> _captions;

    private CaptionFiles(Dictionary<string, string?> captions) => _captions = captions;

    /// <summary>Reads the metadata file of a folder, if there is one.</summary>
    /// <param name="folder">The pictures' folder.</param>
    /// <param name="imageColumn">The key that names a line's picture; "file_name" is taken as well.</param>
    /// <param name="captionColumn">The key of its text; null takes "text" where lines have it.</param>
    public static CaptionFiles Read(string folder, string imageColumn, string? captionColumn)
    {
        var path = Path.Combine(folder, MetadataName);
        if (!File.Exists(path))
            return new CaptionFiles([]);
        Dictionary<string, string?> captions = new(StringComparer.Ordinal);
        SortedSet<string> columns = new(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
                continue;
            var (name, caption) = ReadLine(line, $"{path}, line {number}", imageColumn, captionColumn ?? DefaultCaptionColumn, columns);
            if (!File.Exists(Path.Combine(folder, name)))
                throw new LabException($"{path}, line {number} names the picture {name}, which is not in the folder.");
            if (!captions.TryAdd(name, caption))
                throw new LabException($"{path}, line {number} names the picture {name} a second time.");
        }

        if (captionColumn is not null && !columns.Contains(captionColumn))
            throw new LabException($"{path} has no key \"{captionColumn}\"; its keys are {string.Join(", ", columns.Select(column => $"\"{column}\""))}.");
        return new CaptionFiles(captions);
    }

    /// <summary>The prompt of a picture; null when it has none of its own.</summary>
    public string? Of(string picture)
    {
        if (_captions.GetValueOrDefault(Path.GetFileName(picture)) is { } caption)
            return caption;
        var text = Path.ChangeExtension(picture, ".txt");
        return File.Exists(text) ? OneLine(File.ReadAllText(text)) : null;
    }

    private static (string Name, string? Caption) ReadLine(string line, string where, string imageColumn, string captionColumn, SortedSet<string> columns)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var entry = document.RootElement;
            if (entry.ValueKind != JsonValueKind.Object)
                throw new LabException($"{where} is not a JSON object, as {{\"{FileNameColumn}\": \"1.jpg\", \"{captionColumn}\": \"...\"}}.");
            columns.UnionWith(entry.EnumerateObject().Select(property => property.Name));
            var name = Text(entry, FileNameColumn) ?? Text(entry, imageColumn)
                ?? throw new LabException($"{where} names no picture: the key \"{FileNameColumn}\" (or \"{imageColumn}\") is missing or no text.");
            return (name, Text(entry, captionColumn) is { } caption ? OneLine(caption) : null);
        }
        catch (JsonException error)
        {
            throw new LabException($"{where} is not valid JSON: {error.Message}", error);
        }
    }

    private static string? Text(JsonElement entry, string key) =>
        entry.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string? OneLine(string text)
    {
        var line = string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return line.Length == 0 ? null : line;
    }
}
