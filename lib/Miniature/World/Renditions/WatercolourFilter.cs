namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>Thin washes on white paper: wavering edges where pigment gathers, and an unpainted margin.</summary>
internal sealed class WatercolourFilter : RenditionFilter
{
    /// <inheritdoc/>
    public override void Apply(Composition picture, SeededRandom random)
    {
        var (size, u) = (picture.Size, picture.Unit);
        var waver = Warped(picture, Raster.Noise(size, 9 * u, random), Raster.Noise(size, 9 * u, random), 1.6f * u);
        var soft = Raster.Blur(waver, size, Math.Max(1, (int)u));
        var far = Raster.Blur(Raster.Luma(soft), size, (int)(4 * u));
        var wash = Raster.Noise(size, 22 * u, random);
        var grain = Raster.Noise(size, 5 * u, random);
        var rag = Raster.Noise(size, 7 * u, random);
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                var i = (y * size) + x;
                var luma = (0.299f * soft[4 * i]) + (0.587f * soft[(4 * i) + 1]) + (0.114f * soft[(4 * i) + 2]);
                var pool = Math.Clamp((far[i] - luma) / 90, 0, 0.5f);
                var margin = (MathF.Min(MathF.Min(x, size - 1 - x), MathF.Min(y, size - 1 - y)) / u) + (rag[i] * 5);
                var painted = Raster.Step(6, 8.5f, margin);
                var edge = painted * (1 - Raster.Step(8, 11, margin)) * 0.22f;
                var subject = picture.Mask[i] > 0 ? 0.26f : 0f;
                var pigment = painted * (0.66f + subject + (wash[i] * 0.2f) + (grain[i] * 0.04f) + pool + edge);
                for (var channel = 0; channel < 3; channel++)
                {
                    var paper = channel == 2 ? 246 : 252;
                    var colour = Vivid(picture.Mask[i] > 0 ? waver : soft, i, channel, luma);
                    picture.Rgba[(4 * i) + channel] = Raster.Level(paper - ((paper - colour) * pigment));
                }
            }
        }
    }

    private static float Vivid(byte[] rgba, int i, int channel, float luma) => luma + ((rgba[(4 * i) + channel] - luma) * 1.18f);

    private static byte[] Warped(Composition picture, float[] dx, float[] dy, float reach)
    {
        var (size, result) = (picture.Size, new byte[picture.Rgba.Length]);
        for (var i = 0; i < dx.Length; i++)
            Raster.Sample(picture.Rgba, size, (i % size) + (dx[i] * reach), (i / size) + (dy[i] * reach), result, i);
        return result;
    }
}
