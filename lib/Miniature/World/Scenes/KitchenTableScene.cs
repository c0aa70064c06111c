using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>A wooden kitchen table before a tiled wall.</summary>
internal sealed class KitchenTableScene : Scene
{
    private static readonly SKColor[] Tiles = [Tint.Hex(0x8FC7C9), Tint.Hex(0xF3D9A4), Tint.Hex(0xA9C7E8), Tint.Hex(0xBBD8A4)];

    /// <inheritdoc/>
    public override Setting Setting { get; } = new() { Ground = 112, Shade = Tint.Hex(0x30201C) };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        var tile = random.Pick(Tiles);
        p.Rect(0, 0, 128, 90, Tint.Hex(0xFAF7F0));
        for (var row = 0; row < 6; row++)
        {
            for (var column = 0; column < 9; column++)
            {
                var (x, y) = ((column * 15) - 2, (row * 15) - 6);
                p.Rect(x, y, x + 13.6f, y + 13.6f, Tint.Lighter(tile, (row + column) % 2 == 0 ? 0.42f : 0.08f), 1.4f);
            }
        }

        p.Rect(0, 14, 128, 17, Tint.Hex(0x8A5A34));
        Pan(p, random.Range(14, 24), 18, 10);
        p.Line(40, 16, 40, 38, Tint.Hex(0x9AA3AB), 1.8f);
        p.Ellipse(40, 42, 3.6f, 5.4f, Tint.Hex(0xB8C0C8));
        Pan(p, random.Range(104, 114), 18, 11);
        using (var table = Outline.Polygon(0, 86, 128, 86, 128, 122, 0, 122))
            p.Blend(table, 0, 86, 0, 122, Tint.Hex(0xD79A5C), Tint.Hex(0xB87540), Tint.Hex(0x9C5E32));
        foreach (var y in (ReadOnlySpan<float>)[93.5f, 103, 113.5f])
            p.Line(0, y, 128, y, Tint.Fade(Tint.Hex(0x6E3E1E), 0.55f), 1.2f);
        p.Fall(0, 121, 128, 128, Tint.Hex(0x6E4224), Tint.Hex(0x452813));
        var bowl = random.Chance(0.5) ? random.Range(13, 18) : random.Range(110, 115);
        Bowl(p, bowl, 98);
        Mug(p, 128 - bowl, 98, random);
    }

    private static void Pan(Painter p, float x, float y, float r)
    {
        p.Line(x, y, x, y + 14, Tint.Hex(0x4A3A34), 2.4f);
        p.Ellipse(x, y + 14 + r, r, r, Tint.Hex(0x7A3E22));
        p.Ellipse(x - 1, y + 13 + r, r * 0.82f, r * 0.82f, Tint.Hex(0xC9743C));
        p.Ellipse(x - 3, y + 11 + r, r * 0.4f, r * 0.4f, Tint.Hex(0xE9A268));
    }

    private static void Bowl(Painter p, float x, float y)
    {
        p.Glow(x, y + 1, 17, 4, Tint.Fade(SKColors.Black, 0.4f));
        foreach (var (dx, dy, colour) in (ReadOnlySpan<(float, float, uint)>)[(-6, -14, 0xE33B32), (5, -15, 0xF5A623), (0, -19, 0x7CB83C)])
        {
            p.Ellipse(x + dx, y + dy, 5.6f, 5.6f, Tint.Darker(Tint.Hex(colour), 0.2f));
            p.Ellipse(x + dx - 1, y + dy - 1, 4.2f, 4.2f, Tint.Hex(colour));
        }

        using var bowl = Outline.Blob(x - 14, y - 12, x, y - 10.5f, x + 14, y - 12, x + 10, y - 3, x, y, x - 10, y - 3);
        p.Blend(bowl, x - 14, 0, x + 14, 0, Tint.Hex(0xF2F7FB), Tint.Hex(0x7E9CC4));
    }

    private static void Mug(Painter p, float x, float y, SeededRandom random)
    {
        var colour = random.Pick<SKColor>([Tint.Hex(0xD9534A), Tint.Hex(0x3F8F86), Tint.Hex(0xF3EDE2)]);
        p.Glow(x, y + 1, 11, 3, Tint.Fade(SKColors.Black, 0.4f));
        p.Ring(x + 7, y - 8, 3.6f, 4.4f, Tint.Darker(colour, 0.2f), 2);
        using var mug = Outline.Box(x - 7, y - 16, x + 7, y, 2.4f);
        p.Blend(mug, x - 7, 0, x + 7, 0, Tint.Lighter(colour, 0.35f), colour, Tint.Darker(colour, 0.35f));
        p.Ellipse(x, y - 15.5f, 6.6f, 1.7f, Tint.Hex(0x4A2C1A));
    }
}
