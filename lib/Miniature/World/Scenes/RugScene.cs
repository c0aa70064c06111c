using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>A round rug in a living room with sofa, lamp and picture.</summary>
internal sealed class RugScene : Scene
{
    private static readonly SKColor[] Walls = [Tint.Hex(0xBFD6C8), Tint.Hex(0xEBD3BE), Tint.Hex(0xC9CFE6), Tint.Hex(0xE6DDB8)];
    private static readonly SKColor[] Sofas = [Tint.Hex(0x3F7F8C), Tint.Hex(0xB4574A), Tint.Hex(0x8A6BA8), Tint.Hex(0xC9973E)];
    private static readonly SKColor[] Rugs = [Tint.Hex(0xC94A4A), Tint.Hex(0x3E6FB0), Tint.Hex(0xD98A3A), Tint.Hex(0x4E9A78)];

    /// <inheritdoc/>
    public override Setting Setting { get; } = new() { Ground = 112, Bright = Tint.Hex(0xFFF3D6) };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        var wall = random.Pick(Walls);
        p.Fall(0, 0, 128, 84, Tint.Lighter(wall, 0.25f), wall);
        p.Rect(0, 80, 128, 84, Tint.Hex(0xFBF6EC));
        p.Fall(0, 84, 128, 128, Tint.Hex(0xC99A66), Tint.Hex(0x9C6C40));
        for (var y = 92f; y < 128; y += 9)
            p.Line(0, y, 128, y, Tint.Fade(Tint.Hex(0x6E4726), 0.5f), 1);
        var left = random.Chance(0.5);
        p.Canvas.Save();
        if (left)
            p.Canvas.Scale(-1, 1, 64, 0);
        Picture(p, random);
        Sofa(p, random.Pick(Sofas));
        Lamp(p);
        p.Canvas.Restore();
        var rug = random.Pick(Rugs);
        p.Ellipse(64, 111, 60, 17, Tint.Darker(rug, 0.4f));
        p.Ellipse(64, 110, 59, 16, rug);
        p.Ring(64, 110, 50, 13, Tint.Hex(0xFBEFD4), 3);
        p.Ring(64, 110, 39, 9.6f, Tint.Darker(rug, 0.3f), 3);
        p.Ellipse(64, 110, 28, 6.4f, Tint.Lighter(rug, 0.35f));
    }

    private static void Picture(Painter p, SeededRandom random)
    {
        var x = random.Range(24, 34);
        p.Rect(x - 14, 10, x + 16, 36, Tint.Hex(0x7A4F2A));
        p.Fall(x - 11, 13, x + 13, 33, Tint.Hex(0xF5B56A), Tint.Hex(0xFBE3B0));
        p.Fill(Outline.Polygon(x - 11, 33, x - 3, 21, x + 5, 33), Tint.Hex(0x5B8A8F));
        p.Fill(Outline.Polygon(x - 2, 33, x + 6, 24, x + 13, 33), Tint.Hex(0x3F6B74));
    }

    private static void Sofa(Painter p, SKColor cloth)
    {
        var line = Tint.Darker(cloth, 0.55f);
        foreach (var (l, t, r, b, radius) in (ReadOnlySpan<(float, float, float, float, float)>)[(-20, 48, 46, 82, 9), (-20, 68, 50, 92, 5),
            (40, 60, 54, 95, 6)])
        {
            using var cushion = Outline.Box(l, t, r, b, radius);
            p.StrokeKept(cushion, line, 1.6f);
            p.Blend(cushion, 0, t, 0, b, Tint.Lighter(cloth, 0.22f), Tint.Darker(cloth, 0.22f));
        }
    }

    private static void Lamp(Painter p)
    {
        p.Glow(112, 34, 34, 34, Tint.Fade(Tint.Hex(0xFFE9A8), 0.85f));
        p.Line(112, 38, 112, 92, Tint.Hex(0x4A3A30), 2.2f);
        p.Ellipse(112, 93, 8, 2.6f, Tint.Hex(0x4A3A30));
        using var shade = Outline.Polygon(105, 22, 119, 22, 125, 42, 99, 42);
        p.Blend(shade, 0, 22, 0, 42, Tint.Hex(0xFFF6D8), Tint.Hex(0xF4C66E));
    }
}
