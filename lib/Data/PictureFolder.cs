using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>
/// The pictures of a folder, sorted by file name (ordinal). Every file is decoded once while reading, so that a broken one is found before
/// training, not during it. Subfolders are not read; their pictures are counted. Hidden files, <c>metadata.jsonl</c>, <c>metadata.csv</c>,
/// a dataset's README and licence, and the caption file of a picture are no pictures and not counted as bad.
/// </summary>
internal sealed class PictureFolder
{
    private const int LongestSide = 100;
    private const int MostNamed = 20;
    private const int MostLookedAt = 10_000;

    // The last four are what datasets have beside their pictures.
    private static readonly string[] _companions =
        ["thumbs.db", "desktop.ini", "readme.md", "license", "license.txt", "dataset_infos.json"];

    private static readonly EnumerationOptions _inside = new() { RecurseSubdirectories = true, MaxRecursionDepth = 8 };

    private PictureFolder(string path, IReadOnlyList<PictureFile> pictures, IReadOnlyList<BadImage> bad) =>
        (Path, Pictures, Bad) = (path, pictures, bad);

    /// <summary>The file name endings of pictures, in any case.</summary>
    public static IReadOnlyList<string> Extensions => PictureName.Endings;

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The usable pictures, sorted by file name.</summary>
    public IReadOnlyList<PictureFile> Pictures { get; }

    /// <summary>The files that were skipped; empty where bad files are refused.</summary>
    public IReadOnlyList<BadImage> Bad { get; }

    /// <summary>Pictures in subfolders, by their names, which are not read; of very many the first ones.</summary>
    internal IReadOnlyList<string> NotEntered { get; private init; } = [];

    /// <summary>Reads a folder.</summary>
    /// <param name="path">An existing folder; it may hold no picture.</param>
    /// <param name="policy">What to do with files that cannot be used.</param>
    /// <param name="minSize">Pixels that the shorter side of a picture must have, at least 1.</param>
    /// <exception cref="LabException">The folder is missing, or holds bad files and <paramref name="policy"/> refuses them.</exception>
    public static PictureFolder Read(string path, BadImagePolicy policy, int minSize = 1) => Read(path, policy, minSize, []);

    /// <summary>Reads a folder and what a list names in subfolders.</summary>
    /// <param name="path">An existing folder; it may hold no picture.</param>
    /// <param name="policy">What to do with files that cannot be used.</param>
    /// <param name="minSize">Pixels that the shorter side of a picture must have, at least 1.</param>
    /// <param name="listed">Full paths of pictures in the folder or in subfolders.</param>
    /// <exception cref="LabException">The folder is missing, or holds bad files and <paramref name="policy"/> refuses them.</exception>
    internal static PictureFolder Read(string path, BadImagePolicy policy, int minSize, IReadOnlyCollection<string> listed)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Directory.Exists(path))
            throw new LabException($"The picture folder {path} does not exist.");
        var own = Directory.GetFiles(path);
        var stems = own.Where(PictureName.Is).Select(System.IO.Path.GetFileNameWithoutExtension).ToHashSet(StringComparer.Ordinal);
        var deeper = listed.Select(file => System.IO.Path.GetRelativePath(path, file))
            .Where(name => System.IO.Path.GetDirectoryName(name) is { Length: > 0 })
            .Select(name => System.IO.Path.Combine(path, name)).ToHashSet(StringComparer.Ordinal);
        var files = own.Where(file => !IsCompanion(file, stems)).Concat(deeper).Order(StringComparer.Ordinal).ToArray();
        var results = files.AsParallel().AsOrdered().Select(file => Check(file, minSize)).ToArray();
        var bad = results.Select(result => result.Bad).OfType<BadImage>().ToArray();
        if (bad.Length > 0 && policy == BadImagePolicy.Refuse)
        {
            throw new LabException(
                $"{bad.Length} of {files.Length} files in {path} cannot be used:{List(bad)}\n"
                + "Remove or convert them, or leave them out with --on_bad_image skip.");
        }

        return new PictureFolder(path, [.. results.Select(result => result.Picture).OfType<PictureFile>()], bad)
        {
            NotEntered =
            [
                .. Inside(path).Where(file => !deeper.Contains(file)).Select(file => System.IO.Path.GetRelativePath(path, file))
                    .Order(StringComparer.Ordinal),
            ],
        };
    }

    /// <summary>One line per file, with the reason; for messages.</summary>
    internal static string List(IReadOnlyCollection<BadImage> bad) =>
        string.Concat(bad.Take(MostNamed).Select(file => $"\n  {ShownText.Line(System.IO.Path.GetFileName(file.Path))}: {file.Reason}"))
        + (bad.Count > MostNamed ? $"\n  and {bad.Count - MostNamed} more" : string.Empty);

    private static IEnumerable<string> Inside(string path) => Directory.EnumerateDirectories(path)
        .Where(folder => !System.IO.Path.GetFileName(folder).StartsWith('.'))
        .SelectMany(folder => Directory.EnumerateFiles(folder, "*", _inside)).Take(MostLookedAt).Where(PictureName.Is);

    private static bool IsCompanion(string file, HashSet<string?> stems)
    {
        var name = System.IO.Path.GetFileName(file);
        return name.StartsWith('.')
            || CaptionList.Names.Contains(name, StringComparer.Ordinal)
            || _companions.Contains(name, StringComparer.OrdinalIgnoreCase)
            || (CaptionTexts.IsCaption(name) && stems.Contains(System.IO.Path.GetFileNameWithoutExtension(name)));
    }

    private static (PictureFile? Picture, BadImage? Bad) Check(string file, int minSize)
    {
        try
        {
            if (RegularFile.HasNoLength(file))
                return (null, new BadImage(file, "empty (0 bytes), or a pipe or device and no file"));
            if (!PictureName.Is(file))
                return (null, new BadImage(file, Unnamed(file)));
            return ImageDecoder.WithFile(file, content => Check(file, content, minSize));
        }
        catch (Exception error) when (error is LabException or IOException or UnauthorizedAccessException)
        {
            return (null, new BadImage(file, error.Message));
        }
    }

    private static (PictureFile? Picture, BadImage? Bad) Check(string file, byte[] content, int minSize)
    {
        if (UnreadFormat.Describe(content, System.IO.Path.GetFileName(file)) is { } format)
            return (null, new BadImage(file, format));
        var info = ImageDecoder.ReadInfo(content, "the file");
        return Complaint(info, minSize) is { } complaint
            ? (null, new BadImage(file, complaint))
            : (new PictureFile(file, info.Width, info.Height) { IsTransparent = ImageDecoder.Examine(content, "the file") }, null);
    }

    /// <summary>What a file is whose name is not that of a picture.</summary>
    private static string Unnamed(string file)
    {
        var start = new byte[256];
        using (var stream = File.OpenRead(file))
            start = start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        if (UnreadFormat.Describe(start, System.IO.Path.GetFileName(file)) is { } format)
            return format;
        var endings = string.Join(", ", Extensions);
        return ImageHeader.Read(start) is { } header
            ? $"a {header.Format} picture by its content, but its name does not end so ({endings})"
            : $"not a picture ({endings} are read)";
    }

    private static string? Complaint(ImageInfo info, int minSize) => info.Mode switch
    {
        PixelMode.Cmyk => "CMYK, a picture for print; convert it to RGB",
        PixelMode.Gray16 or PixelMode.Color16 when info.Format != ImageFormat.Tiff => "16 bits a channel; convert it to 8",
        _ when Math.Min(info.Width, info.Height) < minSize =>
            $"{info.Width}x{info.Height} pixels; the shorter side must have at least {minSize}",
        _ when Math.Max(info.Width, info.Height) > (long)LongestSide * Math.Min(info.Width, info.Height) =>
            $"{info.Width}x{info.Height} pixels; one side is more than {LongestSide} times the other: cut pictures out of it",
        _ => null,
    };
}
