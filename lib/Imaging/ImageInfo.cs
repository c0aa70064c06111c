namespace Dreambooth.Lab.Imaging;

/// <summary>What a picture file's header says.</summary>
/// <param name="Format">The file format, from the content.</param>
/// <param name="Mode">What its pixels mean.</param>
/// <param name="StoredWidth">Pixels in a row as stored, before <paramref name="Orientation"/> is applied.</param>
/// <param name="StoredHeight">Rows as stored, before <paramref name="Orientation"/> is applied.</param>
/// <param name="Orientation">The EXIF orientation; upright where the file names none.</param>
public sealed record ImageInfo(ImageFormat Format, PixelMode Mode, int StoredWidth, int StoredHeight, ExifOrientation Orientation)
{
    private bool SwapsSides => Orientation >= ExifOrientation.Transpose;

    /// <summary>Pixels in a row of the upright picture.</summary>
    public int Width => SwapsSides ? StoredHeight : StoredWidth;

    /// <summary>Rows of the upright picture.</summary>
    public int Height => SwapsSides ? StoredWidth : StoredHeight;
}
