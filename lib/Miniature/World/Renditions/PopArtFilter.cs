namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>Printed comic: loud flat colours, rows of dots behind, a heavy black outline with a white rim.</summary>
internal sealed class PopArtFilter : RenditionFilter
{
    /// <inheritdoc/>
    public override void Apply(Composition picture, SeededRandom random)
    {
        var (size, u) = (picture.Size, picture.Unit);
        var soft = Raster.Blur(picture.Rgba, size, Math.Max(1, (int)u));
        var edges = Raster.Edges(soft, size);
        var near = Raster.Blur(Plane(picture.Mask), size, Math.Max(1, (int)(2 * u)));
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                var i = (y * size) + x;
                var subject = picture.Mask[i] > 0;
                var from = subject ? picture.Rgba : soft;
                var (r, g, b) = (from[4 * i], from[(4 * i) + 1], from[(4 * i) + 2]);
                var luma = (0.299f * r) + (0.587f * g) + (0.114f * b);
                var flat = MathF.Round(luma / 64) * 64;
                var dot = subject ? 0 : Dot(x / u, y / u, luma);
                var ink = Raster.Step(70, 140, edges[i]) * (subject ? 0.9f : 0.35f);
                var outline = Raster.Step(0.3f, 0.42f, near[i]) * (1 - Raster.Step(0.72f, 0.86f, near[i]));
                var halo = subject ? 0 : Raster.Step(0.02f, 0.08f, near[i]) * (1 - outline);
                picture.Rgba[4 * i] = Print(r, luma, flat, dot, ink, outline, halo);
                picture.Rgba[(4 * i) + 1] = Print(g, luma, flat, dot, ink, outline, halo);
                picture.Rgba[(4 * i) + 2] = Print(b, luma, flat, dot, ink, outline, halo);
            }
        }
    }

    private static byte Print(float value, float luma, float flat, float dot, float ink, float outline, float halo)
    {
        var loud = flat + 14 + ((value - luma) * 1.75f);
        loud += ((loud * 0.5f) - loud) * dot;
        loud += (255 - loud) * halo;
        return Raster.Level(loud * (1 - MathF.Max(ink, outline)));
    }

    // A screen of dots at 45 degrees; darker tones have larger dots.
    private static float Dot(float x, float y, float luma)
    {
        const float Pitch = 8;
        var (a, b) = ((x + y) / Pitch, (x - y) / Pitch);
        var (da, db) = (a - MathF.Round(a), b - MathF.Round(b));
        var reach = 0.24f + (0.2f * (1 - (luma / 255)));
        return 1 - Raster.Step(reach - 0.1f, reach + 0.06f, MathF.Sqrt((da * da) + (db * db)));
    }

    private static float[] Plane(byte[] mask)
    {
        var plane = new float[mask.Length];
        for (var i = 0; i < plane.Length; i++)
            plane[i] = mask[i] / 255f;
        return plane;
    }
}
