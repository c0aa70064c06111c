using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>Dunes and cactuses under a hot sky.</summary>
internal sealed class DesertScene : Scene
{
    /// <inheritdoc/>
    public override Setting Setting { get; } = new() { Shade = Tint.Hex(0x4A1E2C), Bright = Tint.Hex(0xFFF2C4), Ground = 113 };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        p.Fall(0, 0, 128, 76, Tint.Hex(0x57B7D8), Tint.Hex(0xBFE0D2), Tint.Hex(0xFCE7B0));
        var sun = random.Range(24, 104);
        p.Glow(sun, 20, 26, 26, Tint.Fade(Tint.Hex(0xFFF6C0), 0.8f));
        p.Ellipse(sun, 20, 9, 9, Tint.Hex(0xFFF3B8));
        Mesa(p, random.Range(10, 36), random.Range(46, 52));
        Mesa(p, random.Range(88, 116), random.Range(48, 54));
        var s = random.Range(-5, 5);
        Dune(p, 68 + s, 62, 72 - s, Tint.Hex(0xE59A4E), Tint.Hex(0xC9753A));
        Dune(p, 80 - s, 86, 74 + s, Tint.Hex(0xF3B562), Tint.Hex(0xD98A44));
        Cactus(p, random.Range(9, 19), random.Range(98, 106), random.Range(0.95f, 1.15f));
        Cactus(p, random.Range(108, 118), random.Range(92, 100), random.Range(0.75f, 1));
        Dune(p, 96 + s, 102, 97 - s, Tint.Hex(0xFBCB7E), Tint.Hex(0xE29A52));
    }

    private static void Dune(Painter p, float a, float b, float c, SKColor high, SKColor low)
    {
        using var dune = Outline.Blob(-14, a, 20, a - 4, 56, b, 92, c - 4, 142, c, 142, 146, -14, 146);
        p.Blend(dune, 0, MathF.Min(a, c) - 6, 0, 128, high, low);
    }

    private static void Mesa(Painter p, float x, float top)
    {
        using var mesa = Outline.Polygon(x - 20, 78, x - 13, top + 3, x - 11, top, x + 10, top, x + 12, top + 4, x + 20, 78);
        p.Blend(mesa, x - 16, 0, x + 16, 0, Tint.Hex(0xD8764C), Tint.Hex(0xA14A3A));
    }

    private static void Cactus(Painter p, float x, float foot, float s)
    {
        var line = Tint.Hex(0x1F4A2C);
        foreach (var (extra, colour) in (ReadOnlySpan<(float, SKColor)>)[(2, line), (0, Tint.Hex(0x3E8B4C))])
        {
            p.Line(x, foot, x, foot - (44 * s), colour, (10 * s) + extra);
            p.Stroke(
                Outline.Curve(x, foot - (16 * s), x - (11 * s), foot - (18 * s), x - (12 * s), foot - (32 * s)), colour,
                (6.4f * s) + extra);
            p.Stroke(
                Outline.Curve(x, foot - (22 * s), x + (11 * s), foot - (24 * s), x + (12 * s), foot - (39 * s)), colour,
                (6.4f * s) + extra);
        }

        foreach (var dx in (ReadOnlySpan<float>)[-2.4f, 0.8f])
            p.Line(x + (dx * s), foot - 2, x + (dx * s), foot - (43 * s), Tint.Fade(Tint.Hex(0xA6DB8C), 0.7f), 1.1f);
        p.Ellipse(x, foot - (49 * s), 3 * s, 2.6f * s, Tint.Hex(0xF26A8D));
    }
}
