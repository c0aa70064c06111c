using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Imaging;

/// <summary>A picture in memory: 8 bits a channel, red, green and blue interleaved, rows from top to bottom without padding.</summary>
public sealed class RgbImage
{
    /// <summary>Creates a black picture.</summary>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    public RgbImage(int width, int height)
        : this(width, height, new byte[checked(3 * Math.Max(width, 0) * Math.Max(height, 0))])
    {
    }

    /// <summary>Wraps pixels without copying them.</summary>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="pixels">3 × width × height bytes: R, G, B of the top left pixel first.</param>
    /// <exception cref="LabException">The sizes are below 1 or do not fit the number of bytes.</exception>
    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        if (width < 1 || height < 1)
            throw new LabException($"A picture of {width}x{height} pixels is not possible: both sides must be at least 1.");
        if (pixels.LongLength != 3L * width * height)
            throw new LabException(
                $"A picture of {width}x{height} pixels has {3L * width * height} bytes, but {pixels.LongLength} were given.");
        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>The 3 × <see cref="Width"/> × <see cref="Height"/> bytes, shared with the creator of the picture.</summary>
    public byte[] Pixels { get; }

    /// <summary>The 3 × <see cref="Width"/> bytes of one row.</summary>
    /// <param name="y">Row from the top, from 0.</param>
    public Span<byte> Row(int y) => Pixels.AsSpan(3 * Width * y, 3 * Width);

    /// <summary>One pixel.</summary>
    /// <param name="x">Column from the left, from 0.</param>
    /// <param name="y">Row from the top, from 0.</param>
    public (byte Red, byte Green, byte Blue) this[int x, int y]
    {
        get
        {
            var pixel = Row(y).Slice(3 * x, 3);
            return (pixel[0], pixel[1], pixel[2]);
        }

        set
        {
            var pixel = Row(y).Slice(3 * x, 3);
            (pixel[0], pixel[1], pixel[2]) = value;
        }
    }
}
