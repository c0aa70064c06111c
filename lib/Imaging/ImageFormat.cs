namespace Dreambooth.Lab.Imaging;

/// <summary>The file formats that are read, recognised by content, not by name.</summary>
public enum ImageFormat
{
    /// <summary>JPEG (.jpg, .jpeg).</summary>
    Jpeg,

    /// <summary>PNG (.png).</summary>
    Png,

    /// <summary>WebP (.webp), its first frame.</summary>
    Webp,

    /// <summary>Windows bitmap (.bmp).</summary>
    Bmp,

    /// <summary>TIFF (.tif, .tiff), its first picture.</summary>
    Tiff,
}
