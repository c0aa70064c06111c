using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>Sand, sea and a striped umbrella.</summary>
internal sealed class BeachScene : Scene
{
    /// <inheritdoc/>
    public override Setting Setting { get; } = new() { Shade = Tint.Hex(0x3A2A48), Bright = Tint.Hex(0xFFFBE0), Ground = 113 };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        p.Fall(0, 0, 128, 56, Tint.Hex(0x4FB3EE), Tint.Hex(0xA6DDF7), Tint.Hex(0xE6F6FA));
        Cloud(p, random.Range(16, 50), random.Range(10, 20), random.Range(7, 10));
        Cloud(p, random.Range(76, 112), random.Range(14, 26), random.Range(6, 9));
        p.Fall(0, 52, 128, 84, Tint.Hex(0x1E7FC0), Tint.Hex(0x2FA9CF), Tint.Hex(0x7BDCD8));
        for (var i = 0; i < 5; i++)
        {
            var (x, y) = (random.Range(4, 112), random.Range(57, 70));
            p.Line(x, y, x + random.Range(6, 14), y, Tint.Fade(SKColors.White, 0.5f), 1);
        }

        var s = random.Range(-3, 3);
        using (var foam = Outline.Blob(-10, 78 + s, 20, 76, 46, 80 - s, 78, 77, 104, 80 + s, 140, 76, 140, 140, -10, 140))
            p.FillKept(foam, SKColors.White);
        using (var sand = Outline.Blob(-10, 82 + s, 20, 80, 46, 84 - s, 78, 81, 104, 84 + s, 140, 80, 140, 140, -10, 140))
            p.Blend(sand, 0, 80, 0, 128, Tint.Hex(0xE9CB8C), Tint.Hex(0xF9E3AE), Tint.Hex(0xE2B976));
        Umbrella(p, random.Chance(0.5) ? random.Range(12, 20) : random.Range(106, 114), random);
        Starfish(p, random.Range(16, 40), random.Range(117, 122), random);
        p.Ellipse(random.Range(88, 116), 120, 4.5f, 3, Tint.Hex(0xFCEFE2));
    }

    private static void Cloud(Painter p, float x, float y, float r)
    {
        var white = Tint.Fade(SKColors.White, 0.92f);
        p.Ellipse(x - r, y + 1, r * 0.9f, r * 0.55f, white);
        p.Ellipse(x, y - 2, r, r * 0.75f, white);
        p.Ellipse(x + r, y + 1, r * 0.9f, r * 0.55f, white);
    }

    private static void Umbrella(Painter p, float x, SeededRandom random)
    {
        var red = random.Pick<SKColor>([Tint.Hex(0xE8483F), Tint.Hex(0xF08A24), Tint.Hex(0x2F74C9)]);
        p.Line(x, 30, x + 3, 104, Tint.Hex(0xF3EFE6), 2.4f);
        p.Ellipse(x + 3, 105, 9, 2.4f, Tint.Fade(Tint.Hex(0x7A5A2A), 0.5f));
        using var top = Outline.Blob(x - 27, 46, x - 18, 31, x, 24, x + 18, 31, x + 27, 46, x + 14, 43.5f, x, 46, x - 14, 43.5f);
        p.FillKept(top, Tint.Hex(0xFFF8EA));
        p.Clip(top);
        foreach (var (a, b) in (ReadOnlySpan<(float, float)>)[(-28, -15), (-5, 5), (15, 28)])
            p.Fill(Outline.Polygon(x, 23, x + a, 48, x + b, 48), red);
        p.Release();
    }

    private static void Starfish(Painter p, float x, float y, SeededRandom random)
    {
        Span<float> xy = stackalloc float[20];
        var start = random.Range(0, 2);
        for (var i = 0; i < 10; i++)
        {
            var (sin, cos) = MathF.SinCos(start + (i * MathF.Tau / 10));
            var r = i % 2 == 0 ? 6.5f : 2.6f;
            xy[2 * i] = x + (cos * r);
            xy[(2 * i) + 1] = y + (sin * r * 0.7f);
        }

        p.Fill(Outline.Blob(xy), Tint.Hex(0xEF6F4B));
    }
}
