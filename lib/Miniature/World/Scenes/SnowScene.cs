using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>Snowy hills with firs and large flakes.</summary>
internal sealed class SnowScene : Scene
{
    /// <inheritdoc/>
    public override Setting Setting { get; } = new()
    {
        Shade = Tint.Hex(0x2A3560),
        Ambient = Tint.Fade(Tint.Hex(0xBFD8FF), 0.07f),
        Ground = 114,
    };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        p.Fall(0, 0, 128, 80, Tint.Hex(0x7FA6D8), Tint.Hex(0xB4CDEB), Tint.Hex(0xE9EEF8));
        using (var far = Outline.Blob(-10, 66, 14, 54, 40, 64, 70, 52, 100, 62, 138, 52, 138, 140, -10, 140))
            p.Blend(far, 0, 50, 0, 90, Tint.Hex(0xD5E2F3), Tint.Hex(0xB9CDE8));
        foreach (var (low, high) in (ReadOnlySpan<(float, float)>)[(26, 34), (92, 100), (44, 80)])
            Fir(p, random.Range(low, high), random.Range(72, 80), random.Range(24, 32));
        using (var near = Outline.Blob(-10, 84, 24, 76, 60, 84, 96, 78, 138, 86, 138, 140, -10, 140))
            p.Blend(near, 0, 76, 0, 128, Tint.Hex(0xFFFFFF), Tint.Hex(0xE3EBF7), Tint.Hex(0xB4C6E4));
        Fir(p, random.Range(6, 14), random.Range(96, 104), random.Range(52, 64));
        Fir(p, random.Range(112, 122), random.Range(96, 104), random.Range(48, 66));
    }

    /// <inheritdoc/>
    public override void PaintFront(Painter p, SeededRandom random)
    {
        for (var i = 0; i < 22; i++)
        {
            var r = random.Range(1, 2.3f);
            var x = random.Range(0, 128);
            p.Ellipse(x, random.Range(0, MathF.Abs(x - 64) > 44 ? 118 : 24), r, r, Tint.Fade(SKColors.White, 0.92f));
        }
    }

    private static void Fir(Painter p, float x, float foot, float height)
    {
        var w = height * 0.34f;
        p.Rect(x - (w * 0.13f), foot - (height * 0.12f), x + (w * 0.13f), foot, Tint.Hex(0x55402F));
        for (var i = 0; i < 3; i++)
        {
            var bottom = foot - (height * (0.08f + (i * 0.27f)));
            var top = bottom - (height * 0.42f);
            var half = w * (1 - (i * 0.24f));
            p.Fill(Outline.Polygon(x, top, x + half, bottom, x, bottom + 2, x - half, bottom), Tint.Hex(i == 0 ? 0x1F4F49u : 0x2A6356u));
            p.Fill(
                Outline.Blob(
                    x, top - 1, x + (half * 0.55f), top + ((bottom - top) * 0.62f), x + (half * 0.1f), top + ((bottom - top) * 0.5f),
                    x - (half * 0.6f), top + ((bottom - top) * 0.66f)), Tint.Hex(0xF6FAFF));
        }
    }
}
