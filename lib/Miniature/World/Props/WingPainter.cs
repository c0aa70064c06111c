using Dreambooth.Lab.Miniature.World.Figures;
using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Props;

/// <summary>Paints a pair of large feathered wings.</summary>
internal static class WingPainter
{
    /// <summary>Paints both wings behind a figure.</summary>
    /// <param name="p">The painter, in figure units.</param>
    /// <param name="shoulders">Where they grow.</param>
    /// <param name="random">Decides how far they spread.</param>
    public static void Paint(Painter p, Anchor shoulders, SeededRandom random)
    {
        var spread = random.Range(-6, 6);
        foreach (var side in (ReadOnlySpan<float>)[-1, 1])
        {
            p.Canvas.Save();
            p.Canvas.Translate(shoulders.X + (side * shoulders.Width * 0.35f), shoulders.Y);
            p.Canvas.Scale(side * 1.12f, 1.12f);
            p.Canvas.RotateDegrees(spread - 10);
            PaintOne(p, side < 0);
            p.Canvas.Restore();
        }
    }

    private static void PaintOne(Painter p, bool lit)
    {
        var low = lit ? Tint.Hex(0xC9D8F0) : Tint.Hex(0xAEBBDA);
        var high = lit ? Tint.Hex(0xFFFFFF) : Tint.Hex(0xE8EEFA);
        var line = Tint.Hex(0x66749C);
        for (var i = 0; i < 7; i++)
            Feather(p, 12 + (i * 5.2f), -26 + (i * -1.2f), 62 - (i * 11.5f), 30 - Math.Abs(i - 5) * 1.5f, low, line);
        for (var i = 0; i < 5; i++)
            Feather(p, 8 + (i * 6), -25 - (i * 1.6f), 50 - (i * 15), 19, high, line);
        using var arm = Outline.Tube([-2, 2, 10, -18, 26, -32, 46, -36], [6, 7.5f, 7, 3.5f]);
        p.StrokeKept(arm, line, 2);
        p.Blend(arm, 0, -36, 20, 4, high, low);
    }

    private static void Feather(Painter p, float x, float y, float degrees, float length, SKColor colour, SKColor line)
    {
        p.Canvas.Save();
        p.Canvas.Translate(x, y);
        p.Canvas.RotateDegrees(degrees);
        using var feather = Outline.Blob(
            -2, 0, length * 0.4f, -5.2f, length * 0.85f, -4, length, 1, length * 0.8f, 4.4f, length * 0.4f, 4.6f);
        p.StrokeKept(feather, line, 1.5f);
        p.FillKept(feather, colour);
        p.Canvas.Restore();
    }
}
