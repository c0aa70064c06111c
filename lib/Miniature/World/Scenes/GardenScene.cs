using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>A lawn with large flowers before a white fence.</summary>
internal sealed class GardenScene : Scene
{
    private static readonly SKColor[] Petals =
        [Tint.Hex(0xE8476A), Tint.Hex(0xF7C12E), Tint.Hex(0x9B5FD0), Tint.Hex(0xFF8A3C), Tint.Hex(0xFFFFFF)];

    /// <inheritdoc/>
    public override Setting Setting { get; } = new() { Shade = Tint.Hex(0x14301C), Ground = 112 };

    /// <inheritdoc/>
    public override void PaintBack(Painter p, SeededRandom random)
    {
        p.Fall(0, 0, 128, 60, Tint.Hex(0x8BD0F5), Tint.Hex(0xDDF3FA));
        for (var i = 0; i < 9; i++)
        {
            var (x, y, r) = ((i * 16) + random.Range(-4, 4), random.Range(34, 44), random.Range(13, 17));
            p.Ellipse(x, y + 4, r, r, Tint.Hex(0x3F8A47));
            p.Ellipse(x - 3, y, r * 0.7f, r * 0.6f, Tint.Hex(0x58A657));
        }

        p.Rect(0, 44, 128, 80, Tint.Hex(0x3F8A47));
        Fence(p);
        p.Fall(0, 76, 128, 128, Tint.Hex(0x9AD65F), Tint.Hex(0x6FBA4A), Tint.Hex(0x4A9040));
        for (var i = 0; i < 10; i++)
        {
            var left = i % 2 == 0;
            var x = left ? random.Range(2, 30) : random.Range(98, 126);
            Flower(p, x, 88 + (i * 3.4f) + random.Range(-2, 2), random.Range(5, 7), random.Pick(Petals));
        }
    }

    private static void Fence(Painter p)
    {
        var white = Tint.Hex(0xFDFBF6);
        var shade = Tint.Hex(0xB9C4C2);
        p.Rect(0, 57, 128, 60.5f, shade);
        p.Rect(0, 56, 128, 59.5f, white);
        p.Rect(0, 71, 128, 74, white);
        for (var x = 2f; x < 128; x += 12.6f)
        {
            p.Fill(Outline.Polygon(x + 1, 82, x + 1, 52, x + 5, 46, x + 9, 52, x + 9, 82), shade);
            p.Fill(Outline.Polygon(x, 82, x, 52, x + 4, 46, x + 8, 52, x + 8, 82), white);
        }
    }

    private static void Flower(Painter p, float x, float y, float r, SKColor petal)
    {
        p.Line(x, y, x + 1, y + (r * 2.4f), Tint.Hex(0x2F7A34), 1.8f);
        p.Ellipse(x + 3.4f, y + (r * 1.6f), 3.4f, 1.6f, Tint.Hex(0x3C9140));
        for (var i = 0; i < 5; i++)
        {
            var (sin, cos) = MathF.SinCos((i * MathF.Tau / 5) - 1.57f);
            p.Ellipse(x + (cos * r * 0.62f), y + (sin * r * 0.62f), r * 0.52f, r * 0.52f, i < 2 ? Tint.Lighter(petal, 0.2f) : petal);
        }

        p.Ellipse(x, y, r * 0.36f, r * 0.36f, Tint.Hex(0xFFE173));
    }
}
