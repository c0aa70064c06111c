namespace Dreambooth.Lab.Imaging;

/// <summary>Which names are those of picture files.</summary>
internal static class PictureName
{
    /// <summary>The file name endings of pictures, in any case.</summary>
    public static IReadOnlyList<string> Endings { get; } = [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"];

    /// <summary>Whether a file's name is that of a TIFF picture.</summary>
    /// <param name="file">Its path or name.</param>
    public static bool IsTiff(string file) => Path.GetExtension(file).ToUpperInvariant() is ".TIF" or ".TIFF";

    /// <summary>Whether a file's name is that of a picture.</summary>
    /// <param name="file">Its path or name.</param>
    public static bool Is(string file) => Endings.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase);
}
