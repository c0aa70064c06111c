using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>A white windowsill between curtains.</summary>
internal sealed class WindowsillScene : Scene
{
    private static readonly SKColor[] Curtains = [Tint.Hex(0xC8545E), Tint.Hex(0x4F7FB8), Tint.Hex(0xE2A34A), Tint.Hex(0x7A9C5A)];

    /// <inheritdoc/>
    public override Setting Setting { get; } = new() { Ground = 108, Shade = Tint.Hex(0x2C2440) };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        p.Fall(0, 0, 128, 128, Tint.Hex(0xF3E2C6), Tint.Hex(0xE4CBA6));
        p.Fall(16, 6, 112, 98, Tint.Hex(0x6DB9EE), Tint.Hex(0xBFE4F8), Tint.Hex(0xF3F8EE));
        using (var hill = Outline.Blob(10, 84, 36, 74, 64, 82, 94, 72, 120, 82, 120, 100, 10, 100))
            p.Blend(hill, 0, 72, 0, 98, Tint.Hex(0x9CCB74), Tint.Hex(0x6BA455));
        p.Ellipse(random.Range(30, 54), random.Range(20, 30), 10, 4.6f, Tint.Fade(SKColors.White, 0.9f));
        p.Ellipse(random.Range(74, 98), random.Range(26, 40), 9, 4, Tint.Fade(SKColors.White, 0.9f));
        var frame = Tint.Hex(0xFBF8F2);
        var shade = Tint.Hex(0xC8BCAA);
        foreach (var (l, t, r, b) in (ReadOnlySpan<(float, float, float, float)>)[(13, 3, 115, 8), (13, 3, 18, 100), (110, 3, 115, 100),
            (61.5f, 6, 66.5f, 100), (16, 48, 112, 52)])
        {
            p.Rect(l + 1, t + 1, r + 1.2f, b + 1.2f, shade);
            p.Rect(l, t, r, b, frame);
        }

        var cloth = random.Pick(Curtains);
        Curtain(p, -2, 25, cloth);
        p.Canvas.Save();
        p.Canvas.Scale(-1, 1, 64, 0);
        Curtain(p, -2, 25, cloth);
        p.Canvas.Restore();
        p.Fall(0, 96, 128, 114, Tint.Hex(0xFFFFFF), Tint.Hex(0xEFE8DC));
        p.Fall(0, 114, 128, 121, Tint.Hex(0xD9CDBB), Tint.Hex(0xBFB09B));
        p.Fall(0, 121, 128, 128, Tint.Hex(0xC9AE86), Tint.Hex(0xDCC39C));
    }

    private static void Curtain(Painter p, float left, float right, SKColor cloth)
    {
        using var curtain = Outline.Blob(left - 4, -6, right + 3, -6, right - 1, 30, right - 11, 62, right - 8, 97, left - 4, 97);
        p.FillKept(curtain, cloth);
        p.Clip(curtain);
        for (var x = left; x < right + 4; x += 7.5f)
            p.Stroke(Outline.Curve(x + 5, -4, x + 3, 40, x - 2, 62, x, 100), Tint.Fade(Tint.Darker(cloth, 0.5f), 0.55f), 2.6f);
        for (var x = left + 4; x < right + 4; x += 7.5f)
            p.Stroke(Outline.Curve(x + 5, -4, x + 3, 40, x - 2, 62, x, 100), Tint.Fade(SKColors.White, 0.25f), 2);
        p.Release();
        p.Line(left, 63, right - 11, 63, Tint.Lighter(cloth, 0.55f), 3);
    }
}
