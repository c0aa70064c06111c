namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>Panes of glowing glass between lines of lead; the subject's rim is a lead line too.</summary>
internal sealed class StainedGlassFilter : RenditionFilter
{
    /// <inheritdoc/>
    public override void Apply(Composition picture, SeededRandom random)
    {
        var (size, u) = (picture.Size, picture.Unit);
        var map = new CellMap(size, 21 * u, 0.36f, random);
        var means = new CellColours(picture, map.Cell, map.Count);
        var rim = Raster.Rim(picture.Mask, size, Math.Max(1, (int)(1.2f * u)));
        var glow = Raster.Noise(size, 10 * u, random);
        for (var i = 0; i < map.Cell.Length; i++)
        {
            var mask = picture.Mask[i];
            var (r, g, b) = means.Of(map.Cell[i], mask);
            var keep = mask > 0 ? 0.78f : 0.3f;
            r += (picture.Rgba[4 * i] - r) * keep;
            g += (picture.Rgba[(4 * i) + 1] - g) * keep;
            b += (picture.Rgba[(4 * i) + 2] - b) * keep;
            var luma = (0.299f * r) + (0.587f * g) + (0.114f * b);
            var border = map.Border[i] / u;
            var light = 1.02f + (glow[i] * 0.09f) + (MathF.Min(border, 6) * 0.02f);
            var between = 1 - (mask > 0 ? Raster.Step(-0.25f, 0.75f, border) : Raster.Step(0.5f, 1.4f, border));
            var lead = MathF.Max(between, rim[i]);
            picture.Rgba[4 * i] = Pane(r, luma, light, lead, 22);
            picture.Rgba[(4 * i) + 1] = Pane(g, luma, light, lead, 20);
            picture.Rgba[(4 * i) + 2] = Pane(b, luma, light, lead, 26);
        }
    }

    private static byte Pane(float value, float luma, float light, float lead, float metal)
    {
        var vivid = (luma + ((value - luma) * 1.55f)) * light;
        return Raster.Level(vivid + ((metal - vivid) * lead));
    }
}
