using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>Under water: rays of light, corals, bubbles and fish.</summary>
internal sealed class UnderwaterScene : Scene
{
    private static readonly SKColor[] Corals = [Tint.Hex(0xF0567A), Tint.Hex(0xFF8A4C), Tint.Hex(0xC45BD0), Tint.Hex(0xF7C948)];

    /// <inheritdoc/>
    public override Setting Setting { get; } = new()
    {
        Ground = 113,
        Bright = Tint.Hex(0xE6FFFF),
        Shade = Tint.Hex(0x06284A),
        Ambient = Tint.Fade(Tint.Hex(0x2FB4D8), 0.1f),
    };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        p.Fall(0, 0, 128, 104, Tint.Hex(0x7FE3E8), Tint.Hex(0x2FA8CC), Tint.Hex(0x155E96));
        for (var i = 0; i < 4; i++)
        {
            var x = 14 + (i * 32) + random.Range(-6, 6);
            using var ray = Outline.Polygon(x, 0, x + 12, 0, x + 2, 96, x - 22, 96);
            p.Blend(ray, 0, 0, 0, 96, Tint.Fade(SKColors.White, 0.45f), Tint.Fade(SKColors.White, 0));
        }

        using (var sand = Outline.Blob(-12, 100, 24, 96, 62, 100, 102, 95, 140, 101, 140, 140, -12, 140))
            p.Blend(sand, 0, 96, 0, 128, Tint.Hex(0xE9DCA4), Tint.Hex(0xB9AE86), Tint.Hex(0x7F9A94));
        Coral(p, random.Range(8, 18), 106, random.Pick(Corals));
        Coral(p, random.Range(110, 120), 105, random.Pick(Corals));
        Weed(p, random.Range(26, 34), 104, random);
        Weed(p, random.Range(94, 102), 102, random);
        Fish(p, random.Range(14, 34), random.Range(22, 50), 1, Tint.Hex(0xFFC93C));
        Fish(p, random.Range(96, 116), random.Range(18, 56), -1, Tint.Hex(0xFF7A52));
    }

    /// <inheritdoc/>
    public override void PaintFront(Painter p, SeededRandom random)
    {
        for (var i = 0; i < 9; i++)
        {
            var (x, y, r) = (i % 2 == 0 ? random.Range(4, 40) : random.Range(88, 124), random.Range(6, 84), random.Range(1.6f, 3.8f));
            p.Ellipse(x, y, r, r, Tint.Fade(Tint.Hex(0xDFFBFF), 0.35f));
            p.Ring(x, y, r, r, Tint.Fade(SKColors.White, 0.85f), 0.8f);
        }
    }

    private static void Coral(Painter p, float x, float y, SKColor colour)
    {
        foreach (var (extra, tone) in (ReadOnlySpan<(float, SKColor)>)[(1.8f, Tint.Darker(colour, 0.45f)), (0, colour)])
        {
            p.Line(x, y, x, y - 26, tone, 5 + extra);
            p.Stroke(Outline.Curve(x, y - 8, x - 9, y - 14, x - 10, y - 26), tone, 4 + extra);
            p.Stroke(Outline.Curve(x, y - 10, x + 8, y - 16, x + 9, y - 30), tone, 4 + extra);
            p.Stroke(Outline.Curve(x, y - 18, x - 4, y - 24, x - 4, y - 34), tone, 3.4f + extra);
        }
    }

    private static void Weed(Painter p, float x, float y, SeededRandom random)
    {
        foreach (var dx in (ReadOnlySpan<float>)[-3, 3])
        {
            var h = random.Range(26, 44);
            p.Stroke(
                Outline.Curve(x + dx, y, x + dx + 4, y - (h * 0.33f), x + dx - 3, y - (h * 0.66f), x + dx + 2, y - h),
                Tint.Hex(dx < 0 ? 0x2C8A5Cu : 0x4CB070u), 3);
        }
    }

    private static void Fish(Painter p, float x, float y, float side, SKColor colour)
    {
        p.Fill(Outline.Polygon(x - (side * 6), y, x - (side * 12), y - 4.5f, x - (side * 12), y + 4.5f), Tint.Darker(colour, 0.2f));
        p.Ellipse(x, y, 8, 5, colour);
        p.Line(x - side, y - 4, x - side, y + 4, SKColors.White, 2);
        p.Ellipse(x + (side * 4.6f), y - 1, 1.3f, 1.3f, Tint.Hex(0x14202E));
    }
}
