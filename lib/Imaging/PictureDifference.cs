using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Imaging;

/// <summary>How two pictures of one size differ.</summary>
/// <param name="Image">Bright where they differ: the largest channel difference, as a heat from black over red to white.</param>
/// <param name="Mean">Mean absolute difference of the channels, 0 … 255.</param>
public sealed record PictureDifference(RgbImage Image, double Mean)
{
    /// <summary>Compares two pictures.</summary>
    /// <param name="first">One.</param>
    /// <param name="second">Another of the same size.</param>
    /// <exception cref="LabException">The sizes differ.</exception>
    public static PictureDifference Between(RgbImage first, RgbImage second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.Width != second.Width || first.Height != second.Height)
            throw new LabException(
                $"Pictures of one size can be compared; these have {first.Width}x{first.Height} "
                + $"and {second.Width}x{second.Height} pixels.");
        var heat = new RgbImage(first.Width, first.Height);
        long sum = 0;
        for (var at = 0; at < first.Pixels.Length; at += 3)
        {
            var largest = 0;
            for (var channel = 0; channel < 3; channel++)
            {
                var difference = Math.Abs(first.Pixels[at + channel] - second.Pixels[at + channel]);
                largest = Math.Max(largest, difference);
                sum += difference;
            }

            for (var channel = 0; channel < 3; channel++)
                heat.Pixels[at + channel] = (byte)Math.Clamp((3 * largest) - (255 * channel), 0, 255);
        }

        return new PictureDifference(heat, (double)sum / first.Pixels.Length);
    }
}
