using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>A wet street under lit windows.</summary>
internal sealed class CityNightScene : Scene
{
    /// <inheritdoc/>
    public override Setting Setting { get; } = new()
    {
        Shade = Tint.Hex(0x0A0A2C),
        Bright = Tint.Hex(0xFFE2A0),
        Ambient = Tint.Fade(Tint.Hex(0x2A3A8C), 0.14f),
        Ground = 114,
    };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        p.Fall(0, 0, 128, 92, Tint.Hex(0x0B1030), Tint.Hex(0x232C66), Tint.Hex(0x5A4A8E));
        var moon = random.Range(20, 108);
        p.Glow(moon, 16, 22, 22, Tint.Fade(Tint.Hex(0xFFF4C8), 0.45f));
        p.Ellipse(moon, 16, 7, 7, Tint.Hex(0xFFF6D6));
        for (var x = -4f; x < 128;)
            x += Tower(p, random, x, random.Range(34, 58), Tint.Hex(0x2C2F62), 0.4f);
        for (var x = -8f; x < 128;)
            x += Tower(p, random, x, x is > 26 and < 90 ? random.Range(60, 74) : random.Range(24, 46), Tint.Hex(0x171A3A), 0.62f) + 1;
        p.Fall(0, 92, 128, 128, Tint.Hex(0x3A3A66), Tint.Hex(0x23234A), Tint.Hex(0x14142E));
        for (var i = 0; i < 9; i++)
        {
            var x = random.Range(0, 128);
            using var gleam = Outline.Box(x - 1.6f, 93, x + 1.6f, random.Range(108, 124), 1.6f);
            p.Blend(gleam, 0, 93, 0, 124, Tint.Fade(Tint.Hex(0xFFCF6B), 0.6f), Tint.Fade(Tint.Hex(0xFFCF6B), 0));
        }

        p.Line(0, 93, 128, 93, Tint.Hex(0x6A6A96), 1.6f);
        Lamp(p, random.Chance(0.5) ? random.Range(9, 17) : random.Range(111, 119));
    }

    private static float Tower(Painter p, SeededRandom random, float x, float top, SKColor colour, float lit)
    {
        var w = random.Range(15, 22);
        p.Rect(x, top, x + w, 93, colour);
        var columns = (int)(w / 5.5f);
        var gap = w / columns;
        for (var y = top + 4; y < 88; y += 7)
        {
            for (var i = 0; i < columns; i++)
            {
                if (random.Chance(lit))
                    p.Rect(
                        x + (i * gap) + 1.4f, y, x + ((i + 1) * gap) - 1.4f, y + 4,
                        random.Chance(0.75) ? Tint.Hex(0xFFD66E) : Tint.Hex(0x8FD3F2));
            }
        }

        return w;
    }

    private static void Lamp(Painter p, float x)
    {
        p.Glow(x, 40, 30, 30, Tint.Fade(Tint.Hex(0xFFD98A), 0.8f));
        p.Line(x, 43, x, 108, Tint.Hex(0x0C0D1E), 2.6f);
        p.Rect(x - 4, 105, x + 4, 110, Tint.Hex(0x0C0D1E), 1);
        p.Ellipse(x, 40, 5, 6, Tint.Hex(0xFFF3C4));
        p.Fill(Outline.Polygon(x - 6.5f, 35.5f, x, 30, x + 6.5f, 35.5f), Tint.Hex(0x0C0D1E));
    }
}
