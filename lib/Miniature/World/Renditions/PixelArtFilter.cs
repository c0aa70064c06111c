namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>Large square pixels of few colours, with a dark rim round the subject.</summary>
internal sealed class PixelArtFilter : RenditionFilter
{
    private const int Blocks = 32;

    /// <inheritdoc/>
    public override void Apply(Composition picture, SeededRandom random)
    {
        var size = picture.Size;
        var cells = new int[size * size];
        for (var i = 0; i < cells.Length; i++)
            cells[i] = (i / size * Blocks / size * Blocks) + (i % size * Blocks / size);
        var means = new CellColours(picture, cells, Blocks * Blocks);
        var colours = new (byte, byte, byte)[Blocks * Blocks];
        for (var block = 0; block < colours.Length; block++)
            colours[block] = Colour(means, block);
        for (var i = 0; i < cells.Length; i++)
            (picture.Rgba[4 * i], picture.Rgba[(4 * i) + 1], picture.Rgba[(4 * i) + 2]) = colours[cells[i]];
    }

    private static (byte, byte, byte) Colour(CellColours means, int block)
    {
        var subject = means.IsSubject(block);
        var (r, g, b) = means.Of(block, subject ? (byte)255 : (byte)0);
        var luma = (0.299f * r) + (0.587f * g) + (0.114f * b);
        var dim = subject && IsRim(means, block) ? 0.52f : 1;
        byte Few(float value)
        {
            var vivid = (luma + ((value - luma) * 1.25f)) * dim;
            return Raster.Level(MathF.Round(vivid / 42.5f) * 42.5f);
        }

        return (Few(r), Few(g), Few(b));
    }

    private static bool IsRim(CellColours means, int block)
    {
        var (x, y) = (block % Blocks, block / Blocks);
        return x is > 0 and < Blocks - 1 && y is > 0 and < Blocks - 1
            && !(means.IsSubject(block - 1) && means.IsSubject(block + 1) && means.IsSubject(block - Blocks)
            && means.IsSubject(block + Blocks));
    }
}
