namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>The picture broken into facets, each seen from a little elsewhere and shaded by itself.</summary>
internal sealed class CubistFilter : RenditionFilter
{
    /// <inheritdoc/>
    public override void Apply(Composition picture, SeededRandom random)
    {
        var (size, u) = (picture.Size, picture.Unit);
        var map = new CellMap(size, 25 * u, 0.42f, random);
        var views = new View[map.Count];
        for (var i = 0; i < views.Length; i++)
            views[i] = View.At(random, u);
        var source = WithContour(picture);
        var pixel = new byte[4];
        for (var i = 0; i < map.Cell.Length; i++)
        {
            var cell = map.Cell[i];
            var view = views[cell];
            var (dx, dy) = ((i % size) - map.X[cell], (i / size) - map.Y[cell]);
            Raster.Sample(
                source,
                size,
                map.X[cell] + view.Dx + (((dx * view.Cos) - (dy * view.Sin)) * view.Zoom),
                map.Y[cell] + view.Dy + (((dx * view.Sin) + (dy * view.Cos)) * view.Zoom),
                pixel,
                0);
            var shade = 1 + (((dx * view.ShadeX) + (dy * view.ShadeY)) / (13 * u) * 0.2f);
            var muted = picture.Mask[i] > 0 ? 0.04f : 0.24f;
            var line = 1 - Raster.Step(0.3f, 1.1f, map.Border[i] / u);
            for (var channel = 0; channel < 3; channel++)
            {
                var ochre = channel == 0 ? 196 : channel == 1 ? 158 : 104;
                var value = (pixel[channel] + ((ochre - pixel[channel]) * muted)) * shade;
                picture.Rgba[(4 * i) + channel] = Raster.Level(value + ((42 - value) * line * 0.85f));
            }
        }
    }

    // The picture with the subject's rim in dark paint, so that the broken shape still reads.
    private static byte[] WithContour(Composition picture)
    {
        var source = picture.Rgba.ToArray();
        var rim = Raster.Rim(picture.Mask, picture.Size, Math.Max(1, (int)(1.3f * picture.Unit)));
        for (var i = 0; i < rim.Length; i++)
        {
            for (var channel = 0; channel < 3; channel++)
                source[(4 * i) + channel] = Raster.Level(source[(4 * i) + channel] * (1 - (0.8f * rim[i])));
        }

        return source;
    }

    // From where a facet is seen, and how it is lit.
    private readonly record struct View(float Dx, float Dy, float Sin, float Cos, float Zoom, float ShadeX, float ShadeY)
    {
        public static View At(SeededRandom random, float u)
        {
            var (sin, cos) = MathF.SinCos(random.Range(-0.16f, 0.16f));
            var (shadeX, shadeY) = MathF.SinCos(random.Range(0, MathF.Tau));
            return new View(
                random.Range(-2.6f, 2.6f) * u, random.Range(-2.6f, 2.6f) * u, sin, cos, random.Range(0.84f, 1.04f), shadeX, shadeY);
        }
    }
}
