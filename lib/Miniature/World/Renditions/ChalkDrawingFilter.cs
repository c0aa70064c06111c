namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>Coloured chalk on a dark green board in a wooden frame.</summary>
internal sealed class ChalkDrawingFilter : RenditionFilter
{
    /// <inheritdoc/>
    public override void Apply(Composition picture, SeededRandom random)
    {
        var (size, u) = (picture.Size, picture.Unit);
        var soft = Raster.Blur(picture.Rgba, size, Math.Max(1, (int)u));
        var edges = Raster.Edges(soft, size);
        var rim = Raster.Rim(picture.Mask, size, Math.Max(1, (int)u));
        var smear = Raster.Noise(size, 24 * u, random);
        var grain = Raster.Noise(size, 3.2f * u, random);
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                var i = (y * size) + x;
                var subject = picture.Mask[i] > 0;
                var stroke = 0.5f + (0.5f * MathF.Sin((x + y) / u * MathF.Tau / 8));
                var fill = (subject ? 0.6f + (0.16f * stroke) : 0.1f + (0.16f * stroke)) * (0.92f + (0.16f * grain[i]));
                var line = MathF.Max(Raster.Step(18, 70, edges[i]) * (subject ? 0.85f : 0.6f), rim[i]) * (0.92f + (0.12f * grain[i]));
                var (r, g, b) = (picture.Rgba[4 * i], picture.Rgba[(4 * i) + 1], picture.Rgba[(4 * i) + 2]);
                var brightest = MathF.Max(MathF.Max(r, g), MathF.Max(b, 60));
                var lift = subject ? 1 : MathF.Min(215 / brightest, 1.7f);
                var dust = smear[i] * 7;
                picture.Rgba[4 * i] = Chalk(r * lift, 38 + dust, fill, line);
                picture.Rgba[(4 * i) + 1] = Chalk(g * lift, 58 + dust, fill, line);
                picture.Rgba[(4 * i) + 2] = Chalk(b * lift, 50 + dust, fill, line);
                Frame(picture, x, y, i, u);
            }
        }
    }

    private static byte Chalk(float colour, float board, float fill, float line)
    {
        var value = board + ((colour - board) * Math.Clamp(fill, 0, 1));
        return Raster.Level(value + ((MathF.Min(255, (colour * 0.35f) + 165) - value) * Math.Clamp(line, 0, 1)));
    }

    private static void Frame(Composition picture, int x, int y, int i, float u)
    {
        var size = picture.Size;
        var inside = MathF.Min(MathF.Min(x, size - 1 - x), MathF.Min(y, size - 1 - y)) / u;
        if (inside >= 5)
            return;
        var lit = inside < 3.4f ? (x < y ? 1.08f : 0.92f) : 0.5f;
        picture.Rgba[4 * i] = Raster.Level(164 * lit);
        picture.Rgba[(4 * i) + 1] = Raster.Level(110 * lit);
        picture.Rgba[(4 * i) + 2] = Raster.Level(62 * lit);
    }
}
