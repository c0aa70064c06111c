namespace Dreambooth.Lab.Imaging;

/// <summary>
/// Turns a picture upright, given its stored rows one by one, so that the stored picture need not be in memory.
/// </summary>
internal sealed class UprightPicture
{
    private readonly ExifOrientation _orientation;
    private readonly int _right;
    private readonly int _bottom;
    private readonly byte[] _row;

    /// <summary>Prepares for a picture.</summary>
    /// <param name="storedWidth">Pixels in a stored row.</param>
    /// <param name="storedHeight">Stored rows.</param>
    /// <param name="orientation">What makes it upright.</param>
    public UprightPicture(int storedWidth, int storedHeight, ExifOrientation orientation)
    {
        (_orientation, _right, _bottom, _row) = (orientation, storedWidth - 1, storedHeight - 1, new byte[3 * storedWidth]);
        var swapsSides = orientation >= ExifOrientation.Transpose;
        Image = swapsSides ? new RgbImage(storedHeight, storedWidth) : new RgbImage(storedWidth, storedHeight);
    }

    /// <summary>The upright picture; whole once every row was placed.</summary>
    public RgbImage Image { get; }

    private bool IsStored => _orientation is < ExifOrientation.Mirror or > ExifOrientation.Rotate90CounterClockwise;

    /// <summary>Where the next stored row is written, R, G, B of its pixels, before <see cref="Place"/> takes it.</summary>
    /// <param name="y">Row from the top, from 0.</param>
    public Span<byte> Row(int y) => IsStored ? Image.Row(y) : _row;

    /// <summary>Puts a stored row, written to <see cref="Row"/>, where it belongs.</summary>
    /// <param name="y">Row from the top, from 0.</param>
    public void Place(int y)
    {
        if (IsStored)
            return;

        // Where the row's first pixel goes, and how far each next one is from it.
        var (x0, y0, right, down) = _orientation switch
        {
            ExifOrientation.Mirror => (_right, y, -1, 0),
            ExifOrientation.Rotate180 => (_right, _bottom - y, -1, 0),
            ExifOrientation.Flip => (0, _bottom - y, 1, 0),
            ExifOrientation.Transpose => (y, 0, 0, 1),
            ExifOrientation.Rotate90Clockwise => (_bottom - y, 0, 0, 1),
            ExifOrientation.Transverse => (_bottom - y, _right, 0, -1),
            _ => (y, _right, 0, -1),
        };
        var pixels = Image.Pixels;
        var (to, step) = (3 * ((y0 * Image.Width) + x0), 3 * ((down * Image.Width) + right));
        for (var from = 0; from < _row.Length; from += 3, to += step)
            (pixels[to], pixels[to + 1], pixels[to + 2]) = (_row[from], _row[from + 1], _row[from + 2]);
    }
}
