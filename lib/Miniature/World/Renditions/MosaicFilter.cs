namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>Small stones set in dark mortar, each of one colour and a little tilted in the light.</summary>
internal sealed class MosaicFilter : RenditionFilter
{
    /// <inheritdoc/>
    public override void Apply(Composition picture, SeededRandom random)
    {
        var (size, u) = (picture.Size, picture.Unit);
        var map = new CellMap(size, 6.6f * u, 0.12f, random);
        var means = new CellColours(picture, map.Cell, map.Count);
        var rim = Raster.Rim(picture.Mask, size, Math.Max(1, (int)u));
        var tints = new float[map.Count];
        for (var i = 0; i < tints.Length; i++)
            tints[i] = random.Range(-8, 8);
        for (var i = 0; i < map.Cell.Length; i++)
        {
            var cell = map.Cell[i];
            var (r, g, b) = means.Of(cell, picture.Mask[i]);
            var keep = picture.Mask[i] > 0 ? 0.62f : 0.15f;
            r += (picture.Rgba[4 * i] - r) * keep;
            g += (picture.Rgba[(4 * i) + 1] - g) * keep;
            b += (picture.Rgba[(4 * i) + 2] - b) * keep;
            var luma = (0.299f * r) + (0.587f * g) + (0.114f * b);
            var tilt = (((i % size) - map.X[cell]) + ((i / size) - map.Y[cell])) / u;
            var shade = tints[cell] - (tilt * 3.2f);
            var mortar = MathF.Max(1 - Raster.Step(0.1f, 0.8f, map.Border[i] / u), rim[i]);
            mortar *= picture.Mask[i] > 0 && rim[i] < 0.5f ? 0.6f : 1;
            picture.Rgba[4 * i] = Stone(r, luma, shade, mortar, 92);
            picture.Rgba[(4 * i) + 1] = Stone(g, luma, shade, mortar, 84);
            picture.Rgba[(4 * i) + 2] = Stone(b, luma, shade, mortar, 78);
        }
    }

    private static byte Stone(float value, float luma, float shade, float mortar, float dark)
    {
        var stone = luma + ((value - luma) * 1.35f) + shade;
        return Raster.Level(stone + ((dark - stone) * mortar * 0.68f));
    }
}
