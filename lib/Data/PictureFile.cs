namespace Dreambooth.Lab.Data;

/// <summary>A usable picture of a folder.</summary>
/// <param name="Path">The file.</param>
/// <param name="Width">Pixels in a row of the upright picture, before any resizing.</param>
/// <param name="Height">Rows of the upright picture, before any resizing.</param>
public sealed record PictureFile(string Path, int Width, int Height)
{
    /// <summary>Whether a pixel of it is transparent; it is laid over white.</summary>
    public bool IsTransparent { get; init; }

    /// <summary>The part of it that the square crop of training keeps, 0 to 1.</summary>
    internal double Kept => (double)Math.Min(Width, Height) / Math.Max(Width, Height);
}
