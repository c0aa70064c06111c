namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>Small stones set in pale mortar, each of one colour and a little tilted in the light.</summary>
internal sealed class MosaicFilter : RenditionFilter
{
    /// <inheritdoc/>
    public override void Apply(Composition picture, SeededRandom random)
    {
        var (size, u) = (picture.Size, picture.Unit);
        var map = new CellMap(size, 6 * u, 0.22f, random);
        var means = new CellColours(picture, map.Cell, map.Count);
        var tints = new float[map.Count];
        for (var i = 0; i < tints.Length; i++)
            tints[i] = random.Range(-15, 15);
        for (var i = 0; i < map.Cell.Length; i++)
        {
            var cell = map.Cell[i];
            var (r, g, b) = means.Of(cell, means.IsSubject(cell) ? (byte)255 : (byte)0);
            var luma = (0.299f * r) + (0.587f * g) + (0.114f * b);
            var tilt = (((i % size) - map.X[cell]) + ((i / size) - map.Y[cell])) / u;
            var shade = tints[cell] - (tilt * 3.2f);
            var mortar = 1 - Raster.Step(0.35f, 1.05f, map.Border[i] / u);
            picture.Rgba[4 * i] = Stone(r, luma, shade, mortar, 214);
            picture.Rgba[(4 * i) + 1] = Stone(g, luma, shade, mortar, 206);
            picture.Rgba[(4 * i) + 2] = Stone(b, luma, shade, mortar, 190);
        }
    }

    private static byte Stone(float value, float luma, float shade, float mortar, float pale)
    {
        var stone = luma + ((value - luma) * 1.2f) + shade;
        return Raster.Level(stone + ((pale - stone) * mortar * 0.9f));
    }
}
