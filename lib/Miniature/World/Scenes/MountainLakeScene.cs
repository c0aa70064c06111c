using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>A blue lake below snow-capped mountains.</summary>
internal sealed class MountainLakeScene : Scene
{
    /// <inheritdoc/>
    public override Setting Setting { get; } = new() { Ground = 114, Shade = Tint.Hex(0x14243C) };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        p.Fall(0, 0, 128, 66, Tint.Hex(0x6FB2E6), Tint.Hex(0xCFE7F5));
        var shift = random.Range(-8, 8);
        var (a, b, c) = (random.Range(12, 20), random.Range(6, 14), random.Range(16, 24));
        Peak(p, 22 + shift, a, 34);
        Peak(p, 112 + shift, c, 36);
        Peak(p, 66 + shift, b, 44);
        for (var x = -4f; x < 132; x += 6.5f)
        {
            var h = random.Range(8, 14);
            p.Fill(Outline.Polygon(x, 66 - h, x + 4.6f, 67, x - 4.6f, 67), Tint.Hex(0x2C5A4A));
        }

        p.Fall(0, 66, 128, 104, Tint.Hex(0x4E93B8), Tint.Hex(0x3C86BE), Tint.Hex(0x2A6CA6));
        foreach (var (x, top) in (ReadOnlySpan<(float, float)>)[(22 + shift, a), (66 + shift, b), (112 + shift, c)])
        {
            var reach = 66 + ((66 - top) * 0.55f);
            using var mirror = Outline.Polygon(x - 30, 67, x + 30, 67, x, reach);
            p.Blend(mirror, 0, 66, 0, reach, Tint.Fade(Tint.Hex(0x3E5A78), 0.6f), Tint.Fade(Tint.Hex(0xDCEBF5), 0.6f));
        }

        for (var i = 0; i < 7; i++)
        {
            var (x, y) = (random.Range(0, 116), random.Range(71, 92));
            p.Line(x, y, x + random.Range(8, 18), y, Tint.Fade(SKColors.White, 0.45f), 1);
        }

        using (var shore = Outline.Blob(-10, 98, 20, 94, 60, 99, 100, 95, 140, 99, 140, 140, -10, 140))
            p.Blend(shore, 0, 94, 0, 128, Tint.Hex(0x8DB860), Tint.Hex(0x5C8A44), Tint.Hex(0x3E6636));
        foreach (var (x, y, r) in (ReadOnlySpan<(float, float, float)>)[(random.Range(6, 16), 104, 8), (random.Range(110, 122), 107, 9),
            (random.Range(22, 30), 110, 5)])
        {
            p.Ellipse(x, y, r, r * 0.66f, Tint.Hex(0x6A7078));
            p.Ellipse(x - (r * 0.2f), y - (r * 0.2f), r * 0.7f, r * 0.38f, Tint.Hex(0xA5ABB0));
        }
    }

    private static void Peak(Painter p, float x, float top, float half)
    {
        p.Fill(Outline.Polygon(x, top, x + half, 68, x - half, 68), Tint.Hex(0x54688C));
        p.Fill(Outline.Polygon(x, top, x - half, 68, x - (half * 0.1f), 68, x + (half * 0.14f), top + 20), Tint.Hex(0x7F93B4));
        var snow = (68 - top) * 0.4f;
        var w = half * 0.4f;
        p.Fill(
            Outline.Polygon(
                x, top, x + w, top + snow, x + (w * 0.4f), top + (snow * 0.7f), x, top + snow, x - (w * 0.45f), top + (snow * 0.72f), x - w,
                top + snow), Tint.Hex(0xF4F9FF));
        p.Fill(
            Outline.Polygon(x, top, x + w, top + snow, x + (w * 0.4f), top + (snow * 0.7f), x + (w * 0.15f), top + (snow * 0.8f)),
            Tint.Hex(0xBFD0EA));
    }
}
