using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>Shelves full of coloured books.</summary>
internal sealed class LibraryScene : Scene
{
    private static readonly SKColor[] Spines =
        [Tint.Hex(0x9E2F2F), Tint.Hex(0x2F5D8A), Tint.Hex(0x3F7A4C), Tint.Hex(0xC58B2E), Tint.Hex(0x6B3E78), Tint.Hex(0xD9CBA8),
            Tint.Hex(0x2E7F86), Tint.Hex(0xB8562E)];

    /// <inheritdoc/>
    public override Setting Setting { get; } = new()
    {
        Ground = 114,
        Bright = Tint.Hex(0xFFE9B8),
        Ambient = Tint.Fade(Tint.Hex(0xFFC870), 0.06f),
    };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        p.Rect(0, 0, 128, 128, Tint.Hex(0x3A2214));
        foreach (var shelf in (ReadOnlySpan<float>)[30, 62, 94])
        {
            for (var x = 3f; x < 126;)
                x += Book(p, random, x, shelf);
            p.Fall(0, shelf, 128, shelf + 4.5f, Tint.Hex(0xB57C46), Tint.Hex(0x6E4424));
        }

        foreach (var x in (ReadOnlySpan<float>)[0, 124])
            p.Rect(x, 0, x + 4, 100, Tint.Hex(0x8A5A32));
        p.Glow(64, 30, 70, 60, Tint.Fade(Tint.Hex(0xFFD98A), 0.3f));
        p.Fall(0, 99, 128, 128, Tint.Hex(0xA8703E), Tint.Hex(0x7A4A26), Tint.Hex(0x5A341A));
        for (var i = -3; i <= 3; i++)
            p.Line(64 + (i * 18), 99, 64 + (i * 34), 128, Tint.Fade(Tint.Hex(0x3E2210), 0.5f), 1);
        Pile(p, random.Chance(0.5) ? 15 : 113, 116, random);
    }

    private static float Book(Painter p, SeededRandom random, float x, float shelf)
    {
        var w = random.Range(6, 9.5f);
        var top = shelf - random.Range(19, 26);
        var colour = random.Pick(Spines);
        using var spine = Outline.Box(x, top, x + w - 0.7f, shelf, 0.8f);
        p.Blend(spine, x, 0, x + w, 0, Tint.Lighter(colour, 0.22f), colour, Tint.Darker(colour, 0.35f));
        p.Rect(x + 1.2f, top + 4, x + w - 1.9f, top + 6, Tint.Fade(Tint.Hex(0xF2DC9A), 0.9f));
        return w;
    }

    private static void Pile(Painter p, float x, float y, SeededRandom random)
    {
        p.Glow(x, y + 1, 18, 4, Tint.Fade(SKColors.Black, 0.5f));
        for (var i = 0; i < 3; i++)
        {
            var colour = random.Pick(Spines);
            var (half, bottom) = (13 - random.Range(0, 3), y - (i * 6));
            p.Rect(x - half, bottom - 5.4f, x + half, bottom, Tint.Darker(colour, 0.25f), 1.2f);
            p.Rect(x - half, bottom - 5.4f, x + half, bottom - 3.6f, Tint.Lighter(colour, 0.2f), 1.2f);
        }
    }
}
