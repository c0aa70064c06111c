using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>Grey craters under a black sky with the earth.</summary>
internal sealed class MoonScene : Scene
{
    /// <inheritdoc/>
    public override Setting Setting { get; } = new() { Ground = 112, Shade = Tint.Hex(0x08081A) };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        p.Fall(0, 0, 128, 90, Tint.Hex(0x05060F), Tint.Hex(0x141632));
        for (var i = 0; i < 34; i++)
        {
            var r = random.Range(0.5f, 1.3f);
            p.Ellipse(random.Range(0, 128), random.Range(0, 80), r, r, Tint.Fade(SKColors.White, random.Range(0.6f, 1)));
        }

        Earth(p, random.Chance(0.5) ? random.Range(18, 28) : random.Range(100, 110), random.Range(20, 28));
        var s = random.Range(-4, 4);
        using (var far = Outline.Blob(-12, 84 + s, 30, 78, 62, 85 - s, 98, 77, 140, 84 + s, 140, 140, -12, 140))
            p.Blend(far, 0, 76, 0, 110, Tint.Hex(0x9A9CA6), Tint.Hex(0x70727E));
        using (var near = Outline.Blob(-12, 96, 30, 92, 70, 95, 104, 91, 140, 97, 140, 140, -12, 140))
            p.Blend(near, 0, 90, 0, 128, Tint.Hex(0xC9CAD0), Tint.Hex(0x94959F));
        foreach (var (x, y, r) in (ReadOnlySpan<(float, float, float)>)[(random.Range(8, 22), 103, 11), (random.Range(106, 122), 106, 12),
            (random.Range(30, 46), 122, 8), (random.Range(84, 98), 122, 9)])
            Crater(p, x, y, r);
    }

    private static void Crater(Painter p, float x, float y, float r)
    {
        p.Ellipse(x, y, r, r * 0.36f, Tint.Hex(0xE4E5EA));
        p.Ellipse(x + (r * 0.04f), y + (r * 0.05f), r * 0.9f, r * 0.29f, Tint.Hex(0x62636E));
        p.Ellipse(x + (r * 0.12f), y + (r * 0.12f), r * 0.72f, r * 0.2f, Tint.Hex(0x858692));
    }

    private static void Earth(Painter p, float x, float y)
    {
        p.Glow(x, y, 25, 25, Tint.Fade(Tint.Hex(0x6FB8FF), 0.6f));
        using var disc = Outline.Ellipse(x, y, 15, 15);
        p.FillKept(disc, Tint.Hex(0x2F7FD6));
        p.Clip(disc);
        p.Fill(Outline.Blob(x - 12, y - 9, x - 3, y - 12, x + 2, y - 6, x - 3, y - 1, x - 6, y + 6, x - 11, y), Tint.Hex(0x4FAE5A));
        p.Fill(Outline.Blob(x + 4, y - 2, x + 13, y - 4, x + 12, y + 6, x + 6, y + 9), Tint.Hex(0x4FAE5A));
        p.Ellipse(x - 1, y - 13.5f, 8, 3, SKColors.White);
        p.Stroke(Outline.Curve(x - 13, y + 5, x - 2, y + 3, x + 8, y + 1), Tint.Fade(SKColors.White, 0.85f), 2);
        p.Round(disc, x - 6, y - 6, 24, [SKColors.Transparent, Tint.Fade(Tint.Hex(0x04061A), 0.75f)], [0.4f, 1]);
        p.Release();
    }
}
