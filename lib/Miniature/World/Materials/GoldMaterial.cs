using Dreambooth.Lab.Miniature.World.Figures;
using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Materials;

/// <summary>Polished gold: bands of reflection over every part.</summary>
internal sealed class GoldMaterial(Light light)
    : Material(new CoatColours(Tint.Hex(0xE2A92B), Tint.Hex(0xF2C95A), Tint.Hex(0xB97A12), Tint.Hex(0x5E3A08)), null, light)
{
    private static readonly SKColor[] Bands =
        [Tint.Hex(0xFFF7C8), Tint.Hex(0xF7CE4C), Tint.Hex(0xB9770F), Tint.Hex(0xF3C243), Tint.Hex(0x8F5608), Tint.Hex(0xD99B22)];

    private static readonly float[] Stops = [0, 0.26f, 0.5f, 0.64f, 0.86f, 1];

    /// <inheritdoc/>
    public override void PaintEyes(Painter p, Figure figure)
    {
        foreach (var eye in figure.Eyes)
        {
            p.Ellipse(eye.X, eye.Y, eye.Radius + 0.6f, eye.Radius + 0.6f, Tint.Hex(0x6B430A));
            p.Ellipse(eye.X, eye.Y + 0.8f, eye.Radius - 0.4f, eye.Radius - 0.6f, Tint.Hex(0xF7D773));
        }
    }

    /// <inheritdoc/>
    public override void Finish(Painter p, Figure figure)
    {
        var box = figure.Bounds;
        Sparkle(p, figure.Crown.X + (Light.Side * 13), figure.Crown.Y + 5, 7.5f);
        Sparkle(p, box.MidX - (Light.Side * box.Width * 0.2f), box.Bottom - (box.Height * 0.3f), 5.5f);
    }

    /// <inheritdoc/>
    protected override void PaintPart(Painter p, FigurePart part)
    {
        if (part.Flat || part.LineWidth > 0)
        {
            base.PaintPart(p, part);
            return;
        }

        var box = part.Path.Bounds;
        var (left, right) = Light.Side < 0 ? (box.Left, box.Right) : (box.Right, box.Left);
        using var shader = SKShader.CreateLinearGradient(
            new SKPoint(left, box.Top), new SKPoint(left + ((right - left) * 0.8f), box.Bottom), Bands, Stops, SKShaderTileMode.Clamp);
        p.FillKept(part.Path, shader);
    }

    /// <inheritdoc/>
    protected override SKColor ColourOf(FigurePart part) => part.Role switch
    {
        PartRole.Pale => Tint.Hex(0xF9DD85),
        PartRole.Mark => Tint.Mix(Colours.Base, part.Own, 0.1f),
        PartRole.Coat or PartRole.Metal => Colours.Base,
        _ => Tint.Hex(0x8A5A10),
    };

    private static void Sparkle(Painter p, float x, float y, float r)
    {
        var s = r * 0.16f;
        p.Fill(
            Outline.Polygon(x, y - r, x + s, y - s, x + r, y, x + s, y + s, x, y + r, x - s, y + s, x - r, y, x - s, y - s),
            Tint.Hex(0xFFFFF2));
    }
}
