namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>Graphite on paper: lines where colours meet, hatching where it is dark, the surroundings fainter.</summary>
internal sealed class PencilSketchFilter : RenditionFilter
{
    /// <inheritdoc/>
    public override void Apply(Composition picture, SeededRandom random)
    {
        var (size, u) = (picture.Size, picture.Unit);
        var luma = Raster.Luma(picture.Rgba);
        var smooth = Raster.Blur(luma, size, Math.Max(1, (int)u));
        var edges = Raster.Edges(picture.Rgba, size);
        var rim = Raster.Rim(picture.Mask, size, Math.Max(1, (int)u));
        var pressure = Raster.Noise(size, 12 * u, random);
        var lean = random.Chance(0.5) ? 1 : -1;
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                var i = (y * size) + x;
                var subject = picture.Mask[i] > 0;
                var dark = 1 - (smooth[i] / 255);
                var hatch = Hatch((x + (lean * y)) / u, dark, 0.3f) + (0.8f * Hatch((x - (lean * y)) / u, dark, 0.58f));
                var line = Raster.Step(22, 95, edges[i]) * (subject ? 0.85f : 0.5f);
                var fade = subject ? 1 : 0.62f * Vignette(x, y, size);
                var tone = subject ? (0.3f * hatch) + (0.42f * dark) : (0.42f * hatch) + (0.16f * dark);
                var graphite = (line + tone) * fade * (0.92f + (0.22f * pressure[i]));
                graphite = MathF.Max(graphite, rim[i] * 0.9f);
                for (var channel = 0; channel < 3; channel++)
                {
                    var paper = channel == 0 ? 249 : channel == 1 ? 246 : 238;
                    picture.Rgba[(4 * i) + channel] = Raster.Level(paper - ((paper - 52) * Math.Clamp(graphite, 0, 1)));
                }
            }
        }
    }

    // Parallel soft lines, every four units along a row, that thicken with darkness.
    private static float Hatch(float along, float dark, float from)
    {
        var strength = Raster.Step(from, from + 0.45f, dark);
        var wave = 0.5f + (0.5f * MathF.Cos(along * MathF.Tau / 4));
        return strength * Raster.Step(0.45f - (0.3f * strength), 0.95f, wave);
    }

    private static float Vignette(int x, int y, int size)
    {
        var (dx, dy) = (((2f * x) / size) - 1, ((2f * y) / size) - 1);
        return 1 - (0.75f * Raster.Step(0.75f, 1.25f, MathF.Sqrt((dx * dx) + (dy * dy))));
    }
}
