using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Display;

/// <summary>One picture of an <see cref="ImageGrid"/>: from memory or from a file.</summary>
public sealed record GridCell
{
    private GridCell(RgbImage? image, string? path) => (Image, Path) = (image, path);

    /// <summary>The picture in memory; null where <see cref="Path"/> names it.</summary>
    public RgbImage? Image { get; }

    /// <summary>The picture's file; null where <see cref="Image"/> holds it.</summary>
    public string? Path { get; }

    /// <summary>Text under the picture; empty for none.</summary>
    public string Caption { get; init; } = string.Empty;

    /// <summary>What is told beside the enlarged picture and on hover, such as seed and guidance; empty for none.</summary>
    public string Details { get; init; } = string.Empty;

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
    /// <param name="path">A png, jpeg, webp or bmp file.</param>
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
