using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Props;

/// <summary>Paints a teacup on a saucer, in picture units, its foot at the origin.</summary>
internal static class TeacupPainter
{
    /// <summary>How high the rim is above the foot.</summary>
    public const float RimHeight = 41;

    private static readonly SKColor[] Glazes =
        [Tint.Hex(0xFDFBF7), Tint.Hex(0xBFE0EE), Tint.Hex(0xF7D6DD), Tint.Hex(0xD8EBC6), Tint.Hex(0xF9E8B4)];
    private static readonly SKColor Line = Tint.Hex(0x5A5470);

    /// <summary>Paints saucer, handle and the inside of the cup.</summary>
    public static void PaintBack(Painter p, SeededRandom random)
    {
        var glaze = random.Pick(Glazes);
        p.Ellipse(0, -1, 45, 8.4f, Line);
        p.Ellipse(0, -2, 44, 7.6f, Tint.Darker(glaze, 0.12f));
        p.Ellipse(0, -3.4f, 38, 5.4f, Tint.Lighter(glaze, 0.3f));
        using var handle = Outline.Curve(31, -34, 47, -36, 47, -18, 27, -13);
        p.StrokeKept(handle, Line, 7.4f);
        p.StrokeKept(handle, Tint.Darker(glaze, 0.08f), 5);
        p.Ellipse(0, -RimHeight, 35, 8, Line);
        p.Ellipse(0, -RimHeight, 34, 7, Tint.Darker(glaze, 0.3f));
    }

    /// <summary>Paints the outside of the cup; <paramref name="random"/> must start as for <see cref="PaintBack"/>.</summary>
    public static void PaintFront(Painter p, SeededRandom random)
    {
        var glaze = random.Pick(Glazes);
        var trim = random.Pick(Trims);
        using var cup = new SKPath();
        cup.MoveTo(-35, -RimHeight);
        cup.ArcTo(new SKRect(-35, -RimHeight - 8, 35, -RimHeight + 8), 180, -180, false);
        cup.CubicTo(34, -22, 26, -8, 14, -3.5f);
        cup.LineTo(-14, -3.5f);
        cup.CubicTo(-26, -8, -34, -22, -35, -RimHeight);
        cup.Close();
        p.StrokeKept(cup, Line, 1.6f);
        p.Blend(cup, -35, 0, 35, 0, Tint.Lighter(glaze, 0.55f), glaze, Tint.Darker(glaze, 0.36f));
        p.Clip(cup);
        p.Stroke(
            Outline.Curve(-35, -RimHeight + 2, -18, -RimHeight + 9.6f, 0, -RimHeight + 11, 18, -RimHeight + 9.6f, 35, -RimHeight + 2), trim,
            2.6f);
        foreach (var x in (ReadOnlySpan<float>)[-17, 0, 17])
        {
            var y = -20 + (x == 0 ? 2 : 0);
            for (var i = 0; i < 5; i++)
            {
                var (sin, cos) = MathF.SinCos(i * MathF.Tau / 5);
                p.Ellipse(x + (cos * 3.2f), y + (sin * 3.2f), 2.1f, 2.1f, trim);
            }

            p.Ellipse(x, y, 1.7f, 1.7f, Tint.Hex(0xFFE9A0));
        }

        p.Glow(-20, -26, 7, 14, Tint.Fade(SKColors.White, 0.6f));
        p.Release();
    }

    private static readonly SKColor[] Trims = [Tint.Hex(0xD5566E), Tint.Hex(0x3E78C2), Tint.Hex(0x4E9E6A), Tint.Hex(0xB0722F)];
}
