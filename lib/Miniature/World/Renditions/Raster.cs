namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>Operations on square images: RGBA pixels of four bytes each, or planes of one float a pixel.</summary>
internal static class Raster
{
    /// <summary>Brightness of every pixel, 0 to 255.</summary>
    public static float[] Luma(byte[] rgba)
    {
        var luma = new float[rgba.Length / 4];
        for (int i = 0, j = 0; i < luma.Length; i++, j += 4)
            luma[i] = (0.299f * rgba[j]) + (0.587f * rgba[j + 1]) + (0.114f * rgba[j + 2]);
        return luma;
    }

    /// <summary>The mean over squares of side 2 * radius + 1, the rim repeated outwards.</summary>
    public static float[] Blur(float[] plane, int size, int radius)
    {
        var across = new float[plane.Length];
        var result = new float[plane.Length];
        BlurLines(plane, across, size, radius, 1, size);
        BlurLines(across, result, size, radius, size, 1);
        return result;
    }

    /// <summary>The blurred colours of an image.</summary>
    public static byte[] Blur(byte[] rgba, int size, int radius)
    {
        var result = new byte[rgba.Length];
        var plane = new float[rgba.Length / 4];
        for (var channel = 0; channel < 3; channel++)
        {
            for (var i = 0; i < plane.Length; i++)
                plane[i] = rgba[(4 * i) + channel];
            var blurred = Blur(plane, size, radius);
            for (var i = 0; i < plane.Length; i++)
                result[(4 * i) + channel] = (byte)(blurred[i] + 0.5f);
        }

        for (var i = 3; i < result.Length; i += 4)
            result[i] = 255;
        return result;
    }

    /// <summary>How fast colour changes at every pixel (Sobel, the strongest of the three channels), 0 to about 255.</summary>
    public static float[] Edges(byte[] rgba, int size)
    {
        var edges = new float[size * size];
        for (var y = 1; y < size - 1; y++)
        {
            for (var x = 1; x < size - 1; x++)
            {
                var strongest = 0;
                for (var channel = 0; channel < 3; channel++)
                {
                    var at = (((y * size) + x) * 4) + channel;
                    var (up, down) = (at - (4 * size), at + (4 * size));
                    var dx = rgba[up + 4] + (2 * rgba[at + 4]) + rgba[down + 4] - rgba[up - 4] - (2 * rgba[at - 4]) - rgba[down - 4];
                    var dy = rgba[down - 4] + (2 * rgba[down]) + rgba[down + 4] - rgba[up - 4] - (2 * rgba[up]) - rgba[up + 4];
                    strongest = Math.Max(strongest, Math.Abs(dx) + Math.Abs(dy));
                }

                edges[(y * size) + x] = strongest * 0.25f;
            }
        }

        return edges;
    }

    /// <summary>1 on a line of the given width along the rim of a mask, falling softly to 0.</summary>
    public static float[] Rim(byte[] mask, int size, int radius)
    {
        var plane = new float[mask.Length];
        for (var i = 0; i < plane.Length; i++)
            plane[i] = mask[i] / 255f;
        var soft = Blur(plane, size, radius);
        for (var i = 0; i < plane.Length; i++)
            plane[i] = Math.Clamp((1 - (2 * MathF.Abs(soft[i] - 0.5f))) * 1.6f, 0, 1);
        return plane;
    }

    /// <summary>Smooth noise in -1 to 1 whose bumps are about <paramref name="cell"/> pixels wide.</summary>
    public static float[] Noise(int size, float cell, SeededRandom random)
    {
        var side = (int)(size / cell) + 3;
        var grid = new float[side * side];
        for (var i = 0; i < grid.Length; i++)
            grid[i] = random.Range(-1, 1);
        var noise = new float[size * size];
        for (var y = 0; y < size; y++)
        {
            var (gy, ty) = Split(y / cell);
            for (var x = 0; x < size; x++)
            {
                var (gx, tx) = Split(x / cell);
                var at = (gy * side) + gx;
                var top = grid[at] + ((grid[at + 1] - grid[at]) * tx);
                var low = grid[at + side] + ((grid[at + side + 1] - grid[at + side]) * tx);
                noise[(y * size) + x] = top + ((low - top) * ty);
            }
        }

        return noise;
    }

    /// <summary>Copies a pixel's colour from a place between pixels (bilinear, clamped to the image).</summary>
    public static void Sample(byte[] from, int size, float x, float y, byte[] to, int toPixel)
    {
        x = Math.Clamp(x, 0, size - 1.001f);
        y = Math.Clamp(y, 0, size - 1.001f);
        var (ix, iy) = ((int)x, (int)y);
        var (tx, ty) = (x - ix, y - iy);
        var at = ((iy * size) + ix) * 4;
        for (var channel = 0; channel < 3; channel++, at++)
        {
            var top = from[at] + ((from[at + 4] - from[at]) * tx);
            var low = from[at + (4 * size)] + ((from[at + (4 * size) + 4] - from[at + (4 * size)]) * tx);
            to[(4 * toPixel) + channel] = (byte)(top + ((low - top) * ty) + 0.5f);
        }
    }

    /// <summary>A number rounded and held within 0 to 255.</summary>
    public static byte Level(float value) => (byte)Math.Clamp((int)(value + 0.5f), 0, 255);

    /// <summary>0 below <paramref name="low"/>, 1 above <paramref name="high"/>, smooth between.</summary>
    public static float Step(float low, float high, float value)
    {
        var t = Math.Clamp((value - low) / (high - low), 0, 1);
        return t * t * (3 - (2 * t));
    }

    private static (int Whole, float Smooth) Split(float value)
    {
        var whole = (int)value;
        var t = value - whole;
        return (whole, t * t * (3 - (2 * t)));
    }

    private static void BlurLines(float[] from, float[] to, int size, int radius, int along, int across)
    {
        var weight = 1f / ((2 * radius) + 1);
        for (var line = 0; line < size; line++)
        {
            var start = line * across;
            var sum = from[start] * radius;
            for (var k = 0; k <= radius; k++)
                sum += from[start + (Math.Min(k, size - 1) * along)];
            for (var i = 0; i < size; i++)
            {
                to[start + (i * along)] = sum * weight;
                sum += from[start + (Math.Min(i + radius + 1, size - 1) * along)] - from[start + (Math.Max(i - radius, 0) * along)];
            }
        }
    }
}
