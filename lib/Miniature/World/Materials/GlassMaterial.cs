using Dreambooth.Lab.Miniature.World.Figures;
using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Materials;

/// <summary>Tinted glass: the scene shows through, rims are deep, lights are sharp.</summary>
internal sealed class GlassMaterial(CoatColours colours, Light light) : Material(colours, null, light)
{
    /// <inheritdoc/>
    public override void PaintEyes(Painter p, Figure figure)
    {
        foreach (var eye in figure.Eyes)
        {
            p.Ellipse(eye.X, eye.Y, eye.Radius * 0.8f, eye.Radius * 0.8f, Tint.Fade(Tint.Darker(Colours.Base, 0.6f), 0.75f));
            p.Ellipse(eye.X + (Light.Side * 1.4f), eye.Y - 1.4f, 1.5f, 1.5f, SKColors.White);
        }
    }

    /// <inheritdoc/>
    protected override void PaintLine(Painter p, FigurePart part) =>
        p.StrokeKept(part.Path, Tint.Fade(Tint.Darker(Colours.Base, 0.5f), 0.8f), 2.4f);

    /// <inheritdoc/>
    protected override void PaintPart(Painter p, FigurePart part)
    {
        if (part.LineWidth > 0 || part.Flat)
        {
            if (part.Role is PartRole.Dark or PartRole.Tongue or PartRole.Bill or PartRole.Mark)
                base.PaintPart(p, part);
            return;
        }

        var box = part.Path.Bounds;
        var reach = MathF.Max(box.Width, box.Height) * 0.62f;
        var colour = Colours.Base;
        p.Round(
            part.Path,
            box.MidX - (Light.Side * box.Width * 0.1f),
            box.MidY,
            reach,
            [Tint.Fade(Tint.Lighter(colour, 0.45f), 0.5f), Tint.Fade(colour, 0.6f), Tint.Fade(Tint.Darker(colour, 0.12f), 0.88f)],
            [0, 0.55f, 1]);
        if (MathF.Min(box.Width, box.Height) < 9)
            return;
        p.Clip(part.Path);
        var side = Light.Side;
        var x = box.MidX + (side * box.Width * 0.27f);
        p.Stroke(
            Outline.Curve(
                x + (side * box.Width * 0.02f), box.Top + (box.Height * 0.62f), x + (side * box.Width * 0.06f),
                box.Top + (box.Height * 0.38f), x - (side * box.Width * 0.04f), box.Top + (box.Height * 0.17f)),
            Tint.Fade(SKColors.White, 0.9f),
            MathF.Max(MathF.Min(box.Width, box.Height) * 0.09f, 1.4f));
        p.Glow(
            box.MidX - (side * box.Width * 0.22f), box.Bottom - (box.Height * 0.16f), box.Width * 0.3f, box.Height * 0.2f,
            Tint.Fade(SKColors.White, 0.5f));
        p.Release();
    }

    /// <inheritdoc/>
    protected override SKColor ColourOf(FigurePart part) => part.Role == PartRole.Mark
        ? Tint.Fade(part.Own, 0.65f)
        : Tint.Fade(Tint.Darker(Colours.Base, 0.55f), 0.75f);
}
