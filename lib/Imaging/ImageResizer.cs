using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// Resizes with the same bytes as PIL's <c>Image.resize</c>: with a filter that widens with the reduction (antialiased), first along
/// rows, then along columns, each pass in fixed point with 22 fraction bits and rounded to 8 bits.
/// Source: Pillow 12, libImaging/Resample.c.
/// </summary>
internal static class ImageResizer
{
    /// <summary>
    /// Resizes the shorter side to <paramref name="size"/>, as torchvision's <c>Resize(size)</c>; the longer side follows, truncated.
    /// </summary>
    /// <param name="image">Any picture.</param>
    /// <param name="size">Pixels of the shorter side of the result, at least 1.</param>
    /// <param name="filter">How.</param>
    /// <returns>The resized picture; the same object when nothing changes.</returns>
    public static RgbImage ResizeShortSide(RgbImage image, int size, ResizeFilter filter = ResizeFilter.Bilinear)
    {
        ArgumentNullException.ThrowIfNull(image);
        var (width, height) = ShortSideTo(image.Width, image.Height, size);
        return Resize(image, width, height, filter);
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
    /// <param name="filter">How.</param>
    /// <returns>The resized picture; the same object when nothing changes.</returns>
    /// <exception cref="LabException">A side is below 1.</exception>
    public static RgbImage Resize(RgbImage image, int width, int height, ResizeFilter filter = ResizeFilter.Bilinear)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (width < 1 || height < 1)
            throw new LabException($"A picture cannot be resized to {width}x{height} pixels: both sides must be at least 1.");
        if (width != image.Width)
            image = ResizeRows(image, width, filter);
        return height == image.Height ? image : ResizeColumns(image, height, filter);
    }

    private static RgbImage ResizeRows(RgbImage image, int width, ResizeFilter filter)
    {
        var result = new RgbImage(width, image.Height);
        ResizeTaps.Of(filter, image.Width, width).ResizeRows(image, result);
        return result;
    }

    private static RgbImage ResizeColumns(RgbImage image, int height, ResizeFilter filter)
    {
        var taps = ResizeTaps.Of(filter, image.Height, height);
        var result = new RgbImage(image.Width, height);
        var row = 3 * image.Width;
        for (var y = 0; y < height; y++)
        {
            var weights = taps.Weights(y);
            ResizeSums.Row(image.Pixels.AsSpan(row * taps.First[y], row * weights.Length), weights, result.Row(y));
        }

        return result;
    }
}
