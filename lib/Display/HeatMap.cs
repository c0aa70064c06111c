using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Display;

/// <summary>
/// Colours of a map of values 0 … 1: from a dark violet over rose to a light yellow, its lightness rising evenly, so that it reads without
/// hue.
/// </summary>
internal static class HeatMap
{
    private static readonly (double Red, double Green, double Blue)[] Stops =
        [(28, 16, 68), (94, 30, 112), (166, 48, 98), (222, 86, 66), (247, 146, 60), (250, 212, 120), (253, 247, 205)];

    /// <summary>The colour of a value; those outside take the nearer end's, what is no number the lower end's.</summary>
    public static (byte Red, byte Green, byte Blue) Color(double value)
    {
        var place = (double.IsFinite(value) ? Math.Clamp(value, 0, 1) : 0) * (Stops.Length - 1);
        var below = Math.Min((int)place, Stops.Length - 2);
        var part = place - below;
        byte Mix(double a, double b) => (byte)Math.Round(a + (part * (b - a)));
        var (from, to) = (Stops[below], Stops[below + 1]);
        return (Mix(from.Red, to.Red), Mix(from.Green, to.Green), Mix(from.Blue, to.Blue));
    }

    /// <summary>The colours from 0 to 1, left to right.</summary>
    public static RgbImage Legend(int width, int height)
    {
        var image = new RgbImage(width, height);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
                image[x, y] = Color((double)x / Math.Max(1, width - 1));
        }

        return image;
    }
}
