using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>A light path between dark trees.</summary>
internal sealed class ForestScene : Scene
{
    /// <inheritdoc/>
    public override Setting Setting { get; } = new()
    {
        Shade = Tint.Hex(0x0E2418),
        Ambient = Tint.Fade(Tint.Hex(0x7FB069), 0.08f),
        Ground = 113,
    };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        p.Fall(0, 0, 128, 84, Tint.Hex(0xDDF0B4), Tint.Hex(0x9CCB7E), Tint.Hex(0x5E9E62));
        var bend = random.Range(-10, 10);
        for (var i = 0; i < 9; i++)
            Trunk(p, (i * 15.5f) + random.Range(-4, 4), 74, 2.6f, Tint.Hex(0x57845A));
        p.Glow(64 + bend, 40, 34, 46, Tint.Fade(Tint.Hex(0xFFFAD2), 0.85f));
        p.Fall(0, 72, 128, 128, Tint.Hex(0x6FA84E), Tint.Hex(0x3F7A3B), Tint.Hex(0x27532C));
        using (var path = Outline.Blob(
            58 + bend, 72, 68 + bend, 72, 78 + (bend * 0.6f), 90, 112, 128, 118, 136, 10, 136, 16, 128, 46 + (bend * 0.6f), 92))
            p.Blend(path, 0, 72, 0, 128, Tint.Hex(0xF0DCA2), Tint.Hex(0xC79A62));
        foreach (var x in (ReadOnlySpan<float>)[random.Range(4, 12), random.Range(112, 122), random.Range(26, 34), random.Range(95, 102)])
        {
            var near = x is < 20 or > 106;
            Trunk(p, x, near ? 108 : 86, near ? 8 : 4.5f, near ? Tint.Hex(0x4A3020) : Tint.Hex(0x5F4630));
        }

        for (var i = 0; i < 10; i++)
            Leaves(p, (i * 14) + random.Range(-5, 5), random.Range(-4, 8), random.Range(11, 17), Tint.Vary(Tint.Hex(0x2F6B3A), random, 14));
        for (var i = 0; i < 6; i++)
            Leaves(
                p, i < 3 ? random.Range(-4, 18) : random.Range(110, 132), random.Range(104, 120), random.Range(8, 12),
                Tint.Vary(Tint.Hex(0x2F6F38), random, 12));
        for (var i = 0; i < 3; i++)
        {
            using var ray = Outline.Polygon(34 + (i * 24), 0, 44 + (i * 24), 0, 26 + (i * 24), 90, 8 + (i * 24), 90);
            p.Blend(ray, 0, 0, 0, 90, Tint.Fade(Tint.Hex(0xFFFBD0), 0.34f), Tint.Fade(Tint.Hex(0xFFFBD0), 0));
        }
    }

    private static void Trunk(Painter p, float x, float foot, float r, SKColor colour)
    {
        using var trunk = Outline.Polygon(
            x - r, 0, x + r, 0, x + (r * 1.15f), foot - 6, x + (r * 1.8f), foot, x - (r * 1.8f), foot, x - (r * 1.15f), foot - 6);
        p.Blend(trunk, x - r, 0, x + r, 0, Tint.Lighter(colour, 0.25f), colour, Tint.Darker(colour, 0.4f));
    }

    private static void Leaves(Painter p, float x, float y, float r, SKColor colour)
    {
        p.Ellipse(x, y, r, r * 0.72f, Tint.Darker(colour, 0.25f));
        p.Ellipse(x - (r * 0.2f), y - (r * 0.2f), r * 0.74f, r * 0.5f, colour);
        p.Ellipse(x - (r * 0.3f), y - (r * 0.3f), r * 0.36f, r * 0.24f, Tint.Lighter(colour, 0.22f));
    }
}
