using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Display;

/// <summary>One picture of an <see cref="ImageGrid"/>: from memory or from a file.</summary>
public sealed record GridCell
{
    // Settings and scores stand in a line; prompts among them are cut where they are put in.
    private const int MostInLine = 1000;

    private readonly string _caption = string.Empty;
    private readonly string _details = string.Empty;

    private GridCell(RgbImage? image, string? path) => (Image, Path) = (image, path);

    /// <summary>The picture in memory; null where <see cref="Path"/> names it.</summary>
    public RgbImage? Image { get; }

    /// <summary>The picture's file; null where <see cref="Image"/> holds it.</summary>
    public string? Path { get; }

    /// <summary>Text under the picture, cut where it is long; empty for none.</summary>
    public string Caption
    {
        get => _caption;
        init => _caption = Foundation.ShownText.Cut(value);
    }

    /// <summary>
    /// What is told beside the enlarged picture and on hover, such as seed and guidance, its lines cut where they are long; empty for none.
    /// </summary>
    public string Details
    {
        get => _details;
        init => _details = string.Join('\n', value.Split('\n').Select(line => Foundation.ShownText.Cut(line, MostInLine)));
    }

    /// <summary>A picture in memory.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="caption">Text under it.</param>
    /// <param name="details">Text on hover.</param>
    public static GridCell Of(RgbImage image, string caption = "", string details = "")
    {
        ArgumentNullException.ThrowIfNull(image);
        return new GridCell(image, null) { Caption = caption, Details = details };
    }

    /// <summary>A picture file.</summary>
    /// <param name="path">A png, jpeg, webp, bmp or tiff file.</param>
    /// <param name="caption">Text under it.</param>
    /// <param name="details">Text on hover.</param>
    public static GridCell FromFile(string path, string caption = "", string details = "")
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new GridCell(null, path) { Caption = caption, Details = details };
    }

    /// <summary>The picture, read where it is a file.</summary>
    /// <exception cref="Foundation.LabException">The file cannot be read.</exception>
    public RgbImage Load() => Image ?? ImageDecoder.LoadOverWhite(Path!);
}
