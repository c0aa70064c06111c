using Dreambooth.Lab.Miniature.World.Painting;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>A hill before a huge low sun.</summary>
internal sealed class SunsetHillScene : Scene
{
    /// <inheritdoc/>
    public override Setting Setting { get; } = new()
    {
        Ground = 112,
        Bright = Tint.Hex(0xFFD9A0),
        Shade = Tint.Hex(0x3A1240),
        Ambient = Tint.Fade(Tint.Hex(0xFF7A3C), 0.1f),
    };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        p.Fall(0, 0, 128, 100, Tint.Hex(0x5B3A8E), Tint.Hex(0xC9517E), Tint.Hex(0xF9894A), Tint.Hex(0xFFD27A));
        var sun = random.Range(40, 88);
        p.Glow(sun, 62, 62, 62, Tint.Fade(Tint.Hex(0xFFE08A), 0.75f));
        p.Ellipse(sun, 62, 29, 29, Tint.Hex(0xFFE9A8));
        for (var i = 0; i < 5; i++)
        {
            var (x, y, w) = (random.Range(-6, 96), 14 + (i * 11), random.Range(20, 38));
            p.Fill(
                Outline.Blob(x, y, x + (w * 0.4f), y - 2, x + w, y, x + (w * 0.5f), y + 2.4f),
                Tint.Fade(Tint.Hex(i < 2 ? 0xE88AA8u : 0xFFC08Au), 0.8f));
        }

        var s = random.Range(-6, 6);
        using (var far = Outline.Blob(-12, 84 + s, 26, 72 - s, 62, 82, 98, 70 + s, 140, 82, 140, 140, -12, 140))
            p.Blend(far, 0, 70, 0, 110, Tint.Hex(0xA8446E), Tint.Hex(0x74305E));
        Tree(p, random.Chance(0.5) ? random.Range(10, 20) : random.Range(108, 118), 100);
        using (var near = Outline.Blob(-12, 108, 24, 99, 64, 95, 104, 99, 140, 108, 140, 142, -12, 142))
            p.Blend(near, 0, 94, 0, 128, Tint.Hex(0x8A4A4E), Tint.Hex(0x57305A), Tint.Hex(0x331C44));
        for (var i = 0; i < 14; i++)
        {
            var x = (i * 9.6f) + random.Range(-3, 3);
            var y = 103 + (MathF.Abs(x - 64) * 0.08f) + random.Range(0, 16);
            p.Line(x, y, x + random.Range(-2, 2), y - 4.5f, Tint.Hex(0xE08A5A), 1);
        }
    }

    private static void Tree(Painter p, float x, float foot)
    {
        p.Line(x, foot + 4, x, foot - 22, Tint.Hex(0x3A1A3C), 3.4f);
        foreach (var (dx, dy, r) in (ReadOnlySpan<(float, float, float)>)[(-7, -28, 9), (7, -30, 9.5f), (0, -38, 10)])
            p.Ellipse(x + dx, foot + dy, r, r * 0.85f, Tint.Hex(0x4A2148));
        p.Ellipse(x - 2, foot - 40, 5.5f, 4, Tint.Hex(0x7A3658));
    }
}
