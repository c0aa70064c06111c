using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Data;

/// <summary>
/// The pictures' own prompts: from <c>metadata.jsonl</c> or <c>metadata.csv</c> in their folder, else from a text file beside each. A
/// picture without either, or with blank text, has none.
/// </summary>
internal sealed class CaptionFiles
{
    private readonly CaptionList? _list;
    private readonly CaptionTexts _texts = new();
    private readonly List<string> _unused = [];

    private CaptionFiles(CaptionList? list) => _list = list;

    /// <summary>The list's file name.</summary>
    public string ListName => _list?.Name ?? CaptionList.FileName;

    /// <summary>The pictures that the list names, as full paths.</summary>
    public IReadOnlyCollection<string> Listed => _list is null ? [] : _list.Captions.Keys;

    /// <summary>Notices about valid input, one sentence each.</summary>
    public IReadOnlyList<string> Remarks =>
    [
        .. _list?.Remarks ?? [],
        .. _unused.Count == 0 ? Array.Empty<string>()
            : [$"{ListName} has the text of pictures that have a text file too; not used: {ShownText.Names(_unused)}."],
    ];

    /// <summary>Reads the metadata file of a folder, if there is one.</summary>
    /// <param name="folder">The pictures' folder.</param>
    /// <param name="imageColumn">The key that names a line's picture; "file_name" is taken as well.</param>
    /// <param name="captionColumn">The key of its text; null takes "text", "caption" or "prompt".</param>
    /// <exception cref="LabException">The list is malformed, or a key of it is asked for and there is no list.</exception>
    public static CaptionFiles Read(string folder, string imageColumn, string? captionColumn)
    {
        var list = CaptionList.Names.Select(name => Path.Combine(folder, name)).FirstOrDefault(Path.Exists)
            ?? Path.Combine(folder, CaptionList.FileName);
        if (Directory.Exists(list) || (File.Exists(list) && RegularFile.HasNoLength(list)))
            throw new LabException($"{list} has no content: it is empty, or no file. Put a line a picture there, or remove it.");
        if (File.Exists(list))
            return new CaptionFiles(CaptionList.Read(folder, list, imageColumn, captionColumn));
        var (flag, key) = captionColumn is not null ? ("caption_column", captionColumn) : ("image_column", imageColumn);
        if (captionColumn is null && imageColumn == DreamBoothDatasetOptions.DefaultImageColumn)
            return new CaptionFiles(null);
        throw new LabException(
            $"{flag} is \"{ShownText.Line(key)}\", a key of {CaptionList.FileName}, but {folder} has no such file. "
            + $"Put one there, or leave --{flag} out.");
    }

    /// <summary>The prompt of a picture, one line; null when it has none of its own.</summary>
    /// <param name="picture">The picture's file.</param>
    /// <exception cref="LabException">Its text file cannot be read, or it has two.</exception>
    public (string? Text, CaptionSource Source) Of(string picture)
    {
        var file = _texts.FileOf(picture);
        if (_list?.Captions.GetValueOrDefault(Path.GetFullPath(picture)) is { } listed && OneLine(listed) is { } line)
        {
            if (file is not null && !_unused.Contains(Path.GetFileName(file)))
                _unused.Add(Path.GetFileName(file));
            return (line, CaptionSource.List);
        }

        return file is not null && !RegularFile.HasNoLength(file) && OneLine(TextFile.Read(file, "The caption")) is { } text
            ? (PromptText.Check(text, $"The caption {file}"), CaptionSource.TextFile)
            : (null, CaptionSource.None);
    }

    private static string? OneLine(string text)
    {
        var line = string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return line.Length == 0 ? null : line;
    }
}
