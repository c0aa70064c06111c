using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// Resizes with the same bytes as PIL's <c>Image.resize(..., BILINEAR)</c>: a triangle filter that widens with the reduction
/// (antialiased), first along rows, then along columns, each pass in fixed point with 22 fraction bits and rounded to 8 bits.
/// Source: Pillow 12, libImaging/Resample.c.
/// </summary>
public static class ImageResizer
{
    private const int FractionBits = 32 - 8 - 2;

    /// <summary>
    /// Resizes the shorter side to <paramref name="size"/>, as torchvision's <c>Resize(size)</c>; the longer side follows, truncated.
    /// </summary>
    /// <param name="image">Any picture.</param>
    /// <param name="size">Pixels of the shorter side of the result, at least 1.</param>
    /// <returns>The resized picture; the same object when nothing changes.</returns>
    public static RgbImage ResizeShortSide(RgbImage image, int size)
    {
        ArgumentNullException.ThrowIfNull(image);
        var (width, height) = ShortSideTo(image.Width, image.Height, size);
        return Resize(image, width, height);
    }

    /// <summary>The size that <see cref="ResizeShortSide"/> gives.</summary>
    /// <param name="width">Pixels in a row before.</param>
    /// <param name="height">Rows before.</param>
    /// <param name="size">Pixels of the shorter side after, at least 1.</param>
    public static (int Width, int Height) ShortSideTo(int width, int height, int size)
    {
        var longSide = (int)((double)((long)size * Math.Max(width, height)) / Math.Min(width, height));
        return width <= height ? (size, longSide) : (longSide, size);
    }

    /// <summary>Resizes to exactly this size; the sides may change by different factors.</summary>
    /// <param name="image">Any picture.</param>
    /// <param name="width">Pixels in a row of the result, at least 1.</param>
    /// <param name="height">Rows of the result, at least 1.</param>
    /// <returns>The resized picture; the same object when nothing changes.</returns>
    /// <exception cref="LabException">A side is below 1.</exception>
    public static RgbImage Resize(RgbImage image, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (width < 1 || height < 1)
            throw new LabException($"A picture cannot be resized to {width}x{height} pixels: both sides must be at least 1.");
        if (width != image.Width)
            image = ResizeRows(image, width);
        return height == image.Height ? image : ResizeColumns(image, height);
    }

    private static RgbImage ResizeRows(RgbImage image, int width)
    {
        var taps = Taps.Triangle(image.Width, width);
        var result = new RgbImage(width, image.Height);
        for (var y = 0; y < image.Height; y++)
        {
            var from = image.Row(y);
            var to = result.Row(y);
            for (var x = 0; x < width; x++)
            {
                var weights = taps.Weights(x);
                var source = from.Slice(3 * taps.First[x], 3 * weights.Length);
                int red = 1 << (FractionBits - 1), green = red, blue = red;
                for (int i = 0, at = 0; i < weights.Length; i++, at += 3)
                {
                    red += source[at] * weights[i];
                    green += source[at + 1] * weights[i];
                    blue += source[at + 2] * weights[i];
                }

                to[3 * x] = ToByte(red);
                to[3 * x + 1] = ToByte(green);
                to[3 * x + 2] = ToByte(blue);
            }
        }

        return result;
    }

    private static RgbImage ResizeColumns(RgbImage image, int height)
    {
        var taps = Taps.Triangle(image.Height, height);
        var result = new RgbImage(image.Width, height);
        var sums = new int[3 * image.Width];
        for (var y = 0; y < height; y++)
        {
            var weights = taps.Weights(y);
            Array.Fill(sums, 1 << (FractionBits - 1));
            for (var i = 0; i < weights.Length; i++)
            {
                var from = image.Row(taps.First[y] + i);
                for (var at = 0; at < sums.Length; at++)
                    sums[at] += from[at] * weights[i];
            }

            var to = result.Row(y);
            for (var at = 0; at < sums.Length; at++)
                to[at] = ToByte(sums[at]);
        }

        return result;
    }

    private static byte ToByte(int sum) => (byte)Math.Clamp(sum >> FractionBits, 0, 255);

    /// <summary>For each output place: the first input place it reads and the fixed-point weights from there on.</summary>
    private sealed class Taps
    {
        private readonly int _stride;
        private readonly int[] _counts;
        private readonly int[] _weights;

        private Taps(int outputs, int stride)
        {
            _stride = stride;
            First = new int[outputs];
            _counts = new int[outputs];
            _weights = new int[outputs * stride];
        }

        public int[] First { get; }

        public ReadOnlySpan<int> Weights(int output) => _weights.AsSpan(output * _stride, _counts[output]);

        public static Taps Triangle(int inputs, int outputs)
        {
            var scale = (double)inputs / outputs;
            var support = Math.Max(scale, 1.0);
            var inverse = 1.0 / support;
            var taps = new Taps(outputs, (int)Math.Ceiling(support) * 2 + 1);
            var weights = new double[taps._stride];
            for (var output = 0; output < outputs; output++)
            {
                var center = (output + 0.5) * scale;
                var first = Math.Max((int)(center - support + 0.5), 0);
                var count = Math.Min((int)(center + support + 0.5), inputs) - first;
                var total = 0.0;
                for (var i = 0; i < count; i++)
                    total += weights[i] = Math.Max(1.0 - Math.Abs((i + first - center + 0.5) * inverse), 0.0);
                for (var i = 0; i < count; i++)
                    taps._weights[output * taps._stride + i] = (int)(0.5 + weights[i] / total * (1 << FractionBits));
                taps.First[output] = first;
                taps._counts[output] = count;
            }

            return taps;
        }
    }
}
