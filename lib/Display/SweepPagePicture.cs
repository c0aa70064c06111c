using System.Text.Json;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Display;

/// <summary>A generated picture as the page of its folder shows it.</summary>
internal sealed record SweepPagePicture
{
    // Labels that a sweep's log adds to the record.
    private const string Family = "family";

    /// <summary>Its file, relative to the folder, with slashes.</summary>
    public required string Path { get; init; }

    /// <summary>The name of its thumbnail, which follows from the file's bytes.</summary>
    public required string Thumbnail { get; init; }

    /// <summary>Width in pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Height in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>What its record says, by the record's names; without what is null there.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>Scores by name; empty where nothing scored it.</summary>
    public IReadOnlyDictionary<string, double> Scores { get; init; } = new Dictionary<string, double>();

    /// <summary>Reads the pictures with records in the folders of a folder, which hold one prompt each.</summary>
    /// <param name="folder">The folder of a <c>generate</c> or a sweep.</param>
    /// <returns>In the order of their paths; files that are damaged or of another origin are left out.</returns>
    public static IReadOnlyList<SweepPagePicture> Read(string folder)
    {
        var log = SweepLog.Read(folder).ToDictionary(result => result.Path, StringComparer.Ordinal);
        return [.. new DirectoryInfo(folder).EnumerateDirectories().Where(inner => inner.Name != PromptFolders.Thumbnails)
            .SelectMany(inner => inner.EnumerateFiles("*.png"))
            .OrderBy(file => file.Directory!.Name, StringComparer.Ordinal).ThenBy(file => file.Name.Length)
            .ThenBy(file => file.Name, StringComparer.Ordinal)
            .AsParallel().AsOrdered().Select(file => Read(file, log)).OfType<SweepPagePicture>()];
    }

    private static SweepPagePicture? Read(FileInfo file, Dictionary<string, SweepResult> log)
    {
        if (file.Name.StartsWith('.') || !TryReadBytes(file.FullName, out var content)
            || PictureRecord.Read(PictureNotes.Read(file.FullName, content)) is not { } record)
            return null;
        try
        {
            var path = $"{file.Directory!.Name}/{file.Name}";
            var info = ImageDecoder.ReadInfo(content, file.FullName);
            var settings = SettingsOf(record);
            var result = log.GetValueOrDefault(path);
            if (result is { Item.Family.Length: > 0 })
                settings[Family] = result.Item.Family;
            return new SweepPagePicture
            {
                Path = path,
                Thumbnail = SweepThumbnails.NameOf(content),
                Width = info.Width,
                Height = info.Height,
                Settings = settings,
                Scores = result?.Scores ?? new Dictionary<string, double>(),
            };
        }
        catch (LabException)
        {
            return null;
        }
    }

    private static bool TryReadBytes(string path, out byte[] content)
    {
        try
        {
            content = File.ReadAllBytes(path);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            content = [];
            return false;
        }
    }

    private static Dictionary<string, string> SettingsOf(PictureRecord record)
    {
        using var document = JsonDocument.Parse(record.ToNote());
        return document.RootElement.EnumerateObject().ToDictionary(entry => entry.Name, entry => Text(entry.Value), StringComparer.Ordinal);
    }

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        JsonValueKind.Array => string.Join(" + ", value.EnumerateArray().Select(Text)),
        _ => value.GetRawText(),
    };
}
