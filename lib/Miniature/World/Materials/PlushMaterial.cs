using Dreambooth.Lab.Miniature.World.Figures;
using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Materials;

/// <summary>Stuffed fabric: a soft fringe, seams of thread and button eyes.</summary>
internal sealed class PlushMaterial(CoatColours colours, CoatTexture? texture, Light light) : Material(colours, texture, light)
{
    private SKColor Thread => Tint.Luma(Colours.Base) > 0.55f ? Tint.Darker(Colours.Base, 0.6f) : Tint.Lighter(Colours.Base, 0.75f);

    /// <inheritdoc/>
    public override void PaintEyes(Painter p, Figure figure)
    {
        foreach (var eye in figure.Eyes)
        {
            var r = MathF.Max(eye.Radius, 4.6f);
            p.Ellipse(eye.X, eye.Y + 1, r + 0.8f, r + 0.8f, Tint.Hex(0x0C080C));
            p.Ellipse(eye.X, eye.Y, r, r, Tint.Hex(0x3A2A22));
            p.Ring(eye.X, eye.Y, r * 0.72f, r * 0.72f, Tint.Hex(0x7A5C48), 1);
            p.Line(eye.X - (r * 0.35f), eye.Y - (r * 0.35f), eye.X + (r * 0.35f), eye.Y + (r * 0.35f), Tint.Hex(0xF4E6CC), 1.1f);
            p.Line(eye.X + (r * 0.35f), eye.Y - (r * 0.35f), eye.X - (r * 0.35f), eye.Y + (r * 0.35f), Tint.Hex(0xF4E6CC), 1.1f);
        }
    }

    /// <inheritdoc/>
    protected override void PaintLine(Painter p, FigurePart part)
    {
        var fringe = Tint.Darker(ColourOf(part), 0.22f);
        p.StrokeKept(part.Path, fringe, 2.4f);
        p.Dash(part.Path, fringe, 4.4f, 0.1f, 3.4f);
    }

    /// <inheritdoc/>
    protected override void PaintPart(Painter p, FigurePart part)
    {
        base.PaintPart(p, part);
        if (part.Flat || part.Role is not (PartRole.Coat or PartRole.Pale))
            return;
        var box = part.Path.Bounds;
        if (MathF.Min(box.Width, box.Height) < 12)
            return;
        using var seam = new SKPath(part.Path);
        seam.Transform(SKMatrix.CreateScale(0.8f, 0.8f, box.MidX, box.MidY));
        p.Dash(seam, Thread, 1.5f, 2.8f, 3);
    }

    /// <inheritdoc/>
    protected override void Shade(Painter p, FigurePart part)
    {
        var box = part.Path.Bounds;
        p.Round(
            part.Path,
            box.MidX + (Light.Side * box.Width * 0.2f),
            box.Top + (box.Height * 0.3f),
            MathF.Max(box.Width, box.Height) * 0.8f,
            [Tint.Fade(Light.Bright, 0.2f), Tint.Fade(Light.Bright, 0.04f),
                Tint.Fade(Tint.Mix(Light.Shade, Tint.Shadow(ColourOf(part)), 0.65f), 0.5f)],
            [0, 0.5f, 1]);
    }
}
