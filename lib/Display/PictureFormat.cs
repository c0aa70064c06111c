namespace Dreambooth.Lab.Display;

/// <summary>How a picture is put into HTML.</summary>
public enum PictureFormat
{
    /// <summary>A file as it lies there; a picture in memory as PNG.</summary>
    Original,

    /// <summary>WebP, lossy: the smallest.</summary>
    Webp,

    /// <summary>JPEG.</summary>
    Jpeg,

    /// <summary>PNG, without loss but for the reduction.</summary>
    Png,
}
