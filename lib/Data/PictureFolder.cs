using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>
/// The pictures of a folder, sorted by file name (ordinal). Every file is decoded once while reading, so that a broken one shows before
/// training and not in the middle of it. Folders inside are not entered. Hidden files, <c>metadata.jsonl</c> and the <c>NAME.txt</c> of a picture
/// are no pictures and not counted as bad.
/// </summary>
public sealed class PictureFolder
{
    /// <summary>The file name endings of pictures, in any case.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".jpg", ".jpeg", ".png", ".webp", ".bmp"];

    private static readonly string[] _systemFiles = ["thumbs.db", "desktop.ini"];

    private PictureFolder(string path, IReadOnlyList<PictureFile> pictures, IReadOnlyList<BadImage> bad)
    {
        Path = path;
        Pictures = pictures;
        Bad = bad;
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The usable pictures, sorted by file name.</summary>
    public IReadOnlyList<PictureFile> Pictures { get; }

    /// <summary>The files that were skipped; empty where bad files are refused.</summary>
    public IReadOnlyList<BadImage> Bad { get; }

    /// <summary>Reads a folder.</summary>
    /// <param name="path">An existing folder; it may hold no picture.</param>
    /// <param name="policy">What to do with files that cannot be used.</param>
    /// <param name="minSize">Pixels that the shorter side of a picture must have, at least 1.</param>
    /// <exception cref="LabException">The folder is missing, or holds bad files and <paramref name="policy"/> refuses them.</exception>
    public static PictureFolder Read(string path, BadImagePolicy policy, int minSize = 1)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Directory.Exists(path))
            throw new LabException($"The picture folder {path} does not exist.");
        var files = Directory.GetFiles(path).Where(file => !IsCompanion(file)).Order(StringComparer.Ordinal).ToArray();
        var results = files.AsParallel().AsOrdered().Select(file => Check(file, minSize)).ToArray();
        var bad = results.Select(result => result.Bad).OfType<BadImage>().ToArray();
        if (bad.Length > 0 && policy == BadImagePolicy.Refuse)
            throw new LabException($"{bad.Length} of {files.Length} files in {path} cannot be used:{List(bad)}\nRemove or convert them, or have bad images skipped.");
        return new PictureFolder(path, [.. results.Select(result => result.Picture).OfType<PictureFile>()], bad);
    }

    /// <summary>One line per file, with the reason; for messages.</summary>
    internal static string List(IEnumerable<BadImage> bad) =>
        string.Concat(bad.Select(file => $"\n  {System.IO.Path.GetFileName(file.Path)}: {file.Reason}"));

    private static bool IsCompanion(string file)
    {
        var name = System.IO.Path.GetFileName(file);
        return name.StartsWith('.')
            || name == CaptionFiles.MetadataName
            || _systemFiles.Contains(name, StringComparer.OrdinalIgnoreCase)
            || (name.EndsWith(".txt", StringComparison.OrdinalIgnoreCase)
                && Extensions.Any(extension => File.Exists(System.IO.Path.ChangeExtension(file, extension)) || File.Exists(System.IO.Path.ChangeExtension(file, extension.ToUpperInvariant()))));
    }

    private static (PictureFile? Picture, BadImage? Bad) Check(string file, int minSize)
    {
        if (!Extensions.Contains(System.IO.Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
            return (null, new BadImage(file, $"not a picture ({string.Join(", ", Extensions)} are read)"));
        try
        {
            var content = File.ReadAllBytes(file);
            var info = ImageDecoder.ReadInfo(content, "the file");
            if (Complaint(info, minSize) is { } complaint)
                return (null, new BadImage(file, complaint));
            ImageDecoder.Decode(content, "the file");
            return (new PictureFile(file, info.Width, info.Height), null);
        }
        catch (Exception error) when (error is LabException or IOException or UnauthorizedAccessException)
        {
            return (null, new BadImage(file, error.Message));
        }
    }

    private static string? Complaint(ImageInfo info, int minSize) => info.Mode switch
    {
        PixelMode.Cmyk => "CMYK, a picture for print; convert it to RGB",
        PixelMode.Gray16 or PixelMode.Color16 => "16 bits a channel; convert it to 8",
        _ when Math.Min(info.Width, info.Height) < minSize => $"{info.Width}x{info.Height} pixels; the shorter side must have at least {minSize}",
        _ => null,
    };
}
