using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>The subject looks out of an open cardboard box.</summary>
internal sealed class CardboardBoxScene : Scene
{
    private static readonly SKColor[] Walls = [Tint.Hex(0x9FC3CF), Tint.Hex(0xB7CBA2), Tint.Hex(0xCFB7CC), Tint.Hex(0xDCCF9F)];

    /// <inheritdoc/>
    public override Setting Setting { get; } = new() { Ground = 112, Rim = 84, Scale = 1.12f };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        var wall = random.Pick(Walls);
        p.Fall(0, 0, 128, 100, Tint.Lighter(wall, 0.3f), wall);
        p.Fall(0, 96, 128, 128, Tint.Hex(0xB58A5E), Tint.Hex(0x8A6240));
        p.Rect(0, 94, 128, 97.5f, Tint.Hex(0xF4EEE2));
        p.Glow(64, 122, 60, 8, Tint.Fade(SKColors.Black, 0.5f));
        p.Fill(Outline.Polygon(16, 84, 26, 66, 102, 66, 112, 84), Tint.Hex(0x8F6238));
        using var back = Outline.Polygon(26, 66, 102, 66, 106, 56, 22, 56);
        p.Blend(back, 0, 56, 0, 66, Tint.Hex(0xDDB27A), Tint.Hex(0xC0925A));
    }

    /// <inheritdoc/>
    public override void PaintFront(Painter p, SeededRandom random)
    {
        using (var left = Outline.Polygon(16, 84, 26, 66, 8, 60, -2, 76))
            p.Blend(left, 0, 60, 20, 84, Tint.Hex(0xE9C48E), Tint.Hex(0xB98A52));
        using (var right = Outline.Polygon(112, 84, 102, 66, 120, 60, 130, 76))
            p.Blend(right, 128, 60, 108, 84, Tint.Hex(0xD2A468), Tint.Hex(0x9C6F3E));
        using (var front = Outline.Polygon(16, 84, 112, 84, 109, 123, 19, 123))
            p.Blend(front, 16, 84, 112, 123, Tint.Hex(0xDFB278), Tint.Hex(0xC6955A), Tint.Hex(0xA27242));
        p.Fill(Outline.Polygon(57, 84, 71, 84, 71, 100, 57, 100), Tint.Fade(Tint.Hex(0xF3DEB4), 0.75f));
        p.Line(16, 84.6f, 112, 84.6f, Tint.Hex(0xF3D4A2), 1.6f);
        p.Line(16, 84, 19, 123, Tint.Hex(0x8A6036), 1);
        p.Line(112, 84, 109, 123, Tint.Hex(0x70492A), 1);
        var ink = Tint.Fade(Tint.Hex(0x5A3A1E), 0.8f);
        foreach (var x in (ReadOnlySpan<float>)[88, 97])
        {
            p.Line(x, 116, x, 105, ink, 1.6f);
            p.Line(x, 104.5f, x - 3, 108, ink, 1.6f);
            p.Line(x, 104.5f, x + 3, 108, ink, 1.6f);
        }
    }
}
