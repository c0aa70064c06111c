namespace Dreambooth.Lab.Imaging;

/// <summary>
/// Turns a picture upright and resizes it, given its stored rows one by one: the bytes of <see cref="ImageTransforms.Orient"/> and then
/// <see cref="ImageResizer.Resize"/>, without the large picture in memory.
/// </summary>
internal sealed class RowResizer
{
    private readonly int _storedWidth;
    private readonly int _storedHeight;
    private readonly int _height;
    private readonly bool _mirrors;
    private readonly bool _fromBottom;
    private readonly ResizeTaps? _taps;
    private readonly RgbImage _narrow;
    private readonly int[]? _sums;

    /// <summary>Prepares for a picture.</summary>
    /// <param name="storedWidth">Pixels in a stored row.</param>
    /// <param name="storedHeight">Stored rows.</param>
    /// <param name="orientation">What makes it upright.</param>
    /// <param name="width">Pixels in a row of the result, at least 1.</param>
    /// <param name="height">Rows of the result, at least 1.</param>
    public RowResizer(int storedWidth, int storedHeight, ExifOrientation orientation, int width, int height)
    {
        (_storedWidth, _storedHeight, _height) = (storedWidth, storedHeight, height);
        _mirrors = orientation is ExifOrientation.Mirror or ExifOrientation.Rotate180 or ExifOrientation.Transverse
            or ExifOrientation.Rotate90CounterClockwise;
        _fromBottom = orientation is ExifOrientation.Flip or ExifOrientation.Rotate180 or ExifOrientation.Transverse
            or ExifOrientation.Rotate90Clockwise;
        var turns = orientation is ExifOrientation.Transpose or ExifOrientation.Rotate90Clockwise or ExifOrientation.Transverse
            or ExifOrientation.Rotate90CounterClockwise;
        var (upright, rows) = turns ? (storedHeight, storedWidth) : (storedWidth, storedHeight);
        _taps = width == upright && !turns ? null : ResizeTaps.Of(ResizeFilter.Bilinear, upright, width);
        _narrow = new RgbImage(width, rows);
        if (turns)
        {
            _sums = new int[checked(width * 3 * storedWidth)];
            Array.Fill(_sums, ResizeTaps.Half);
        }
    }

    /// <summary>Takes the next stored row.</summary>
    /// <param name="y">Row from the top, from 0.</param>
    /// <param name="row">R, G, B of its pixels; changed by this.</param>
    public void Add(int y, Span<byte> row)
    {
        if (_mirrors)
            Mirror(row);
        var place = _fromBottom ? _storedHeight - 1 - y : y;
        if (_sums is not null)
            AddColumn(place, row);
        else if (_taps is null)
            row.CopyTo(_narrow.Row(place));
        else
            _taps.ResizeRow(row, _narrow.Row(place));
    }

    /// <summary>The picture, once all rows were taken.</summary>
    public RgbImage Finish()
    {
        if (_sums is not null)
        {
            for (var y = 0; y < _storedWidth; y++)
            {
                var row = _narrow.Row(y);
                for (var at = 0; at < row.Length; at++)
                    row[at] = ResizeTaps.ToByte(_sums[(at / 3 * 3 * _storedWidth) + (3 * y) + (at % 3)]);
            }
        }

        return ImageResizer.Resize(_narrow, _narrow.Width, _height);
    }

    // A stored row is a column of the upright picture; it counts in every output column whose filter reaches it.
    private void AddColumn(int x, ReadOnlySpan<byte> column)
    {
        for (var output = 0; output < _taps!.First.Length; output++)
        {
            var weights = _taps.Weights(output);
            var tap = x - _taps.First[output];
            if (tap < 0 || tap >= weights.Length)
                continue;
            var weight = weights[tap];
            var sums = _sums.AsSpan(output * 3 * _storedWidth, 3 * _storedWidth);
            for (var at = 0; at < sums.Length; at++)
                sums[at] += column[at] * weight;
        }
    }

    private static void Mirror(Span<byte> row)
    {
        row.Reverse();
        for (var at = 0; at < row.Length; at += 3)
            (row[at], row[at + 2]) = (row[at + 2], row[at]);
    }
}
