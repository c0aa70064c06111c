namespace Dreambooth.Lab.Imaging;

/// <summary>
/// How sharp a picture is: the variance of its Laplacian, which is large where there are edges and small where all is smooth.
/// </summary>
internal static class Sharpness
{
    /// <summary>
    /// Measures a picture. Figures compare pictures of one size: shrinking sharpens. A photo resized to 512 pixels that is in focus has
    /// some hundreds, one that is blurred less than 100.
    /// </summary>
    /// <param name="image">A picture of at least 3 × 3 pixels.</param>
    /// <returns>The variance over all inner pixels, in grey levels (0 … 255) squared.</returns>
    public static double Of(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Width < 3 || image.Height < 3)
            return 0;
        double sum = 0, squares = 0;
        for (var y = 1; y < image.Height - 1; y++)
        {
            for (var x = 1; x < image.Width - 1; x++)
            {
                var value =
                    Grey(image[x - 1, y]) + Grey(image[x + 1, y]) + Grey(image[x, y - 1]) + Grey(image[x, y + 1]) - (4 * Grey(image[x, y]));
                sum += value;
                squares += value * value;
            }
        }

        double count = (image.Width - 2.0) * (image.Height - 2.0);
        return (squares / count) - (sum / count * (sum / count));
    }

    /// <summary>A pixel's brightness, 0 … 255 (ITU-R BT.601).</summary>
    internal static double Grey((byte Red, byte Green, byte Blue) pixel) =>
        (0.299 * pixel.Red) + (0.587 * pixel.Green) + (0.114 * pixel.Blue);
}
