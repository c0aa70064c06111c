using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>The subject looks out of an open suitcase.</summary>
internal sealed class SuitcaseScene : Scene
{
    private static readonly SKColor[] Leathers = [Tint.Hex(0x8E3B32), Tint.Hex(0x2F5E78), Tint.Hex(0x6A4A8A), Tint.Hex(0x3E6E4E)];

    /// <inheritdoc/>
    public override Setting Setting { get; } = new() { Ground = 111, Rim = 92, Scale = 1.05f };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        var leather = random.Pick(Leathers);
        p.Fall(0, 0, 128, 104, Tint.Hex(0xE8DCCB), Tint.Hex(0xCDBBA4));
        p.Fall(0, 100, 128, 128, Tint.Hex(0x9E7B5C), Tint.Hex(0x6E5138));
        p.Glow(64, 122, 66, 8, Tint.Fade(SKColors.Black, 0.55f));
        Solid(p, 8, 14, 120, 92, leather, 9);
        using (var lining = Outline.Box(15, 21, 113, 92, 5))
            p.Blend(lining, 15, 21, 113, 92, Tint.Hex(0xFBE9C8), Tint.Hex(0xE0BE8C), Tint.Hex(0xB98F5E));
        for (var x = 25f; x < 113; x += 13)
            p.Line(x, 22, x, 90, Tint.Fade(Tint.Hex(0xA0784A), 0.45f), 1.6f);
        p.Stroke(Outline.Curve(15, 34, 64, 44, 113, 34), Tint.Darker(leather, 0.1f), 4);
        p.Rect(10, 86, 118, 96, Tint.Darker(leather, 0.6f), 3);
    }

    /// <inheritdoc/>
    public override void PaintFront(Painter p, SeededRandom random)
    {
        var leather = random.Pick(Leathers);
        Solid(p, 6, 92, 122, 121, leather, 6);
        p.Line(9, 95, 119, 95, Tint.Lighter(leather, 0.35f), 1.4f);
        p.Dash(Outline.Curve(10, 100, 118, 100), Tint.Lighter(leather, 0.55f), 1, 2.5f, 2.5f);
        p.Stroke(Outline.Curve(53, 103, 56, 109, 72, 109, 75, 103), Tint.Hex(0x3A2418), 3.6f);
        foreach (var x in (ReadOnlySpan<float>)[30, 98])
        {
            p.Rect(x - 5, 90, x + 5, 103, Tint.Hex(0x8A6414), 1.5f);
            p.Rect(x - 4, 91, x + 4, 102, Tint.Hex(0xF0C552), 1.2f);
            p.Ellipse(x, 97, 1.6f, 1.6f, Tint.Hex(0x6A4A10));
        }

        foreach (var (x, y) in (ReadOnlySpan<(float, float)>)[(9, 95), (119, 95), (9, 118), (119, 118)])
            p.Ellipse(x, y, 4, 4, Tint.Hex(0xE2B64A));
    }

    private static void Solid(Painter p, float l, float t, float r, float b, SKColor leather, float radius)
    {
        using var box = Outline.Box(l, t, r, b, radius);
        p.StrokeKept(box, Tint.Darker(leather, 0.6f), 2);
        p.Blend(box, l, t, r, b, Tint.Lighter(leather, 0.24f), leather, Tint.Darker(leather, 0.4f));
    }
}
