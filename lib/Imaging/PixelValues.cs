using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// Converts pictures to the numbers that models work with and back. Planes come channel by channel: [3, H, W], red first, values in [−1,
/// 1].
/// </summary>
internal static class PixelValues
{
    /// <summary>
    /// A picture as float32 planes in [−1, 1]: (x / 255 − 0.5) / 0.5 in this order, as torchvision's <c>ToTensor</c> and
    /// <c>Normalize([0.5], [0.5])</c>, exact to the bit.
    /// </summary>
    /// <param name="image">Any picture.</param>
    /// <returns>3 × H × W values, laid out [3, H, W].</returns>
    public static float[] FromImage(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var plane = image.Width * image.Height;
        var values = new float[3 * plane];
        for (int i = 0, at = 0; i < plane; i++, at += 3)
        {
            values[i] = Level[image.Pixels[at]];
            values[plane + i] = Level[image.Pixels[at + 1]];
            values[2 * plane + i] = Level[image.Pixels[at + 2]];
        }

        return values;
    }

    /// <summary>
    /// The picture that float32 planes show: round(clamp(x × 0.5 + 0.5, 0, 1) × 255), halves to even, as diffusers'
    /// <c>VaeImageProcessor.postprocess</c>. A value that is not a number becomes 0.
    /// </summary>
    /// <param name="values">3 × H × W values, laid out [3, H, W]; [−1, 1] is the full range, what lies outside is clamped.</param>
    /// <param name="width">W, pixels in a row.</param>
    /// <param name="height">H, rows.</param>
    /// <exception cref="LabException">The number of values is not 3 × H × W.</exception>
    public static RgbImage ToImage(ReadOnlySpan<float> values, int width, int height)
    {
        if (values.Length != 3L * width * height)
            throw new LabException(
                $"A picture of {width}x{height} pixels needs {3L * width * height} values, but {values.Length} were given.");
        var image = new RgbImage(width, height);
        var plane = width * height;
        for (int i = 0, at = 0; i < plane; i++, at += 3)
        {
            image.Pixels[at] = ToByte(values[i]);
            image.Pixels[at + 1] = ToByte(values[plane + i]);
            image.Pixels[at + 2] = ToByte(values[2 * plane + i]);
        }

        return image;
    }

    private static readonly float[] Level = [.. Enumerable.Range(0, 256).Select(x => (x / 255f - 0.5f) / 0.5f)];

    private static byte ToByte(float value) =>
        float.IsNaN(value) ? (byte)0 : (byte)MathF.Round(Math.Clamp(value * 0.5f + 0.5f, 0f, 1f) * 255f, MidpointRounding.ToEven);
}
