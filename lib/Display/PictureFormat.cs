namespace Dreambooth.Lab.Display;

/// <summary>How a picture is put into HTML.</summary>
public enum PictureFormat
{
    /// <summary>A file unchanged; a picture in memory as PNG.</summary>
    Original,

    /// <summary>WebP, lossy: the smallest.</summary>
    Webp,

    /// <summary>JPEG.</summary>
    Jpeg,

    /// <summary>PNG, lossless except for the reduction.</summary>
    Png,
}
