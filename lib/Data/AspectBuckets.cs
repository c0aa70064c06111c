using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>
/// The sizes to which pictures of different shapes are cropped: every width that is a multiple of a step, from half to twice the
/// resolution, with the largest height that is a multiple too and keeps the area within resolution². At 1024 pixels and steps of 64 these
/// are sizes as in table 2 of SDXL (Podell et al. 2023, arXiv:2307.01952, appendix I).
/// </summary>
internal static class AspectBuckets
{
    /// <summary>The sizes of a resolution, the narrowest first.</summary>
    /// <param name="resolution">Side of the square of the same area in pixels, at least <paramref name="step"/>.</param>
    /// <param name="step">Pixels; sides are multiples of it.</param>
    public static IReadOnlyList<PictureSize> Of(int resolution, int step)
    {
        var area = (long)resolution * resolution;
        int Side(int other) => (int)(area / other / step) * step;
        var least = Math.Max((((resolution / 2) - 1) / step * step) + step, step);
        var sides = Enumerable.Range(0, (2 * resolution / step) + 1).Select(i => least + (i * step))
            .TakeWhile(side => side <= 2 * resolution).Where(side => Side(side) >= least).ToList();
        return
        [
            .. sides.Select(side => new PictureSize(side, Side(side))).Concat(sides.Select(side => new PictureSize(Side(side), side)))
                .Distinct().OrderBy(size => (double)size.Width / size.Height).ThenBy(size => size.Width),
        ];
    }

    /// <summary>The size whose ratio of sides is the nearest; of several, the largest.</summary>
    /// <param name="sizes">Sizes, at least one.</param>
    /// <param name="width">Pixels in a row of the picture.</param>
    /// <param name="height">Rows of the picture.</param>
    public static PictureSize Nearest(IReadOnlyList<PictureSize> sizes, int width, int height)
    {
        var ratio = Math.Log((double)width / height);
        return sizes.OrderBy(size => Math.Abs(Math.Log((double)size.Width / size.Height) - ratio)).ThenByDescending(
            size => (long)size.Width * size.Height).First();
    }

    /// <summary>The size of a whole picture that covers a rectangle in its own proportions; the rest is cropped.</summary>
    /// <param name="width">Pixels in a row of the picture.</param>
    /// <param name="height">Rows of the picture.</param>
    /// <param name="size">The rectangle.</param>
    public static PictureSize Cover(int width, int height, PictureSize size)
    {
        if (size.Width == size.Height)
        {
            var (wide, high) = ImageResizer.ShortSideTo(width, height, size.Width);
            return new(wide, high);
        }

        return (long)size.Width * height >= (long)size.Height * width
            ? new(size.Width, (int)((long)size.Width * height / width))
            : new((int)((long)size.Height * width / height), size.Height);
    }
}
