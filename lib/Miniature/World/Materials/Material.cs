using Dreambooth.Lab.Miniature.World.Figures;
using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Materials;

/// <summary>What a subject is made of: paints the parts of a figure. This one is fur, feather, paint or glaze.</summary>
/// <param name="colours">The coat's colours.</param>
/// <param name="texture">The coat's pattern, or null for one colour.</param>
/// <param name="light">The light; its side is in figure space (a mirrored figure has it mirrored).</param>
internal class Material(CoatColours colours, CoatTexture? texture, Light light)
{
    /// <summary>The coat's colours.</summary>
    protected CoatColours Colours { get; } = colours;

    /// <summary>The light, in figure space.</summary>
    protected Light Light { get; } = light;

    /// <summary>The colour of outlines.</summary>
    protected virtual SKColor Line => Colours.Line;

    /// <summary>The width of outlines, in figure units.</summary>
    protected virtual float LineWidth => 2.6f;

    /// <summary>Paints all parts of one layer.</summary>
    public void Paint(Painter p, Figure figure, FigureLayer layer)
    {
        var parts = figure.Parts;
        for (var start = 0; start < parts.Count;)
        {
            var end = start;
            while (end < parts.Count && parts[end].Group == parts[start].Group)
                end++;
            for (var i = start; i < end; i++)
            {
                if (parts[i].Layer == layer && !parts[i].Flat)
                    PaintLine(p, parts[i]);
            }

            for (var i = start; i < end; i++)
            {
                if (parts[i].Layer == layer)
                    PaintPart(p, parts[i]);
            }

            start = end;
        }
    }

    public virtual void PaintEyes(Painter p, Figure figure)
    {
        foreach (var eye in figure.Eyes)
            PaintEye(p, eye);
    }

    /// <summary>Paints what lies over the finished figure.</summary>
    public virtual void Finish(Painter p, Figure figure)
    {
    }

    /// <summary>Paints a part's outline, half of which the part will cover.</summary>
    protected virtual void PaintLine(Painter p, FigurePart part) => p.StrokeKept(part.Path, Line, LineWidth);

    protected virtual void PaintPart(Painter p, FigurePart part)
    {
        if (part.LineWidth > 0)
        {
            p.StrokeKept(part.Path, ColourOf(part), part.LineWidth);
            return;
        }

        if (part.Role == PartRole.Coat && texture is not null)
        {
            p.FillKept(part.Path, texture.Shader);
            if (part.Tone != 0)
                p.FillKept(part.Path, part.Tone < 0 ? Tint.Fade(Tint.Hex(0x140C20), -part.Tone) : Tint.Fade(SKColors.White, part.Tone));
        }
        else
        {
            p.FillKept(part.Path, ColourOf(part));
        }

        if (!part.Flat)
            Shade(p, part);
    }

    /// <summary>Light and shadow over a part.</summary>
    protected virtual void Shade(Painter p, FigurePart part)
    {
        var box = part.Path.Bounds;
        var reach = MathF.Max(box.Width, box.Height);
        var shade = Tint.Mix(Light.Shade, Tint.Shadow(ColourOf(part)), 0.65f);
        p.Round(
            part.Path,
            box.MidX + (Light.Side * box.Width * 0.34f),
            box.Top + (box.Height * 0.2f),
            reach * 1.02f,
            [Tint.Fade(Light.Bright, 0.34f), Tint.Fade(Light.Bright, 0.02f), Tint.Fade(shade, 0.1f), Tint.Fade(shade, 0.58f)],
            [0, 0.34f, 0.6f, 1]);
    }

    /// <summary>The plain colour of a part.</summary>
    protected virtual SKColor ColourOf(FigurePart part)
    {
        var colour = part.Role switch
        {
            PartRole.Coat => Colours.Base,
            PartRole.Pale => Colours.Pale,
            PartRole.Inner => Tint.Mix(Tint.Hex(0xF5A9AE), Colours.Base, 0.22f),
            PartRole.Dark => Tint.Hex(0x2A2028),
            PartRole.Bill => Tint.Hex(0xF59A22),
            PartRole.Metal => Tint.Hex(0xB4BCC6),
            PartRole.Pane => Tint.Hex(0xBFE3F2),
            PartRole.Lamp => Tint.Hex(0xFFE48A),
            PartRole.Tongue => Tint.Hex(0xEE7F88),
            _ => part.Own,
        };
        return part.Tone < 0 ? Tint.Darker(colour, -part.Tone) : Tint.Lighter(colour, part.Tone);
    }

    private void PaintEye(Painter p, Eye eye)
    {
        var (x, y, r) = (eye.X, eye.Y, eye.Radius);
        p.Ellipse(x, y, (r * 0.95f) + 1.1f, r + 1.1f, Tint.Hex(0x1D1620));
        p.Ellipse(x, y, r * 0.95f, r, eye.Iris);
        p.Ellipse(x, y + (r * 0.35f), r * 0.7f, r * 0.55f, Tint.Fade(SKColors.White, 0.28f));
        p.Ellipse(x - (r * 0.14f), y, r * (eye.Slit ? 0.46f : 0.62f), r * (eye.Slit ? 0.84f : 0.66f), Tint.Hex(0x120D14));
        p.Ellipse(x + (Light.Side * r * 0.3f), y - (r * 0.36f), r * 0.34f, r * 0.34f, SKColors.White);
        p.Ellipse(x - (Light.Side * r * 0.3f), y + (r * 0.42f), r * 0.16f, r * 0.16f, Tint.Fade(SKColors.White, 0.8f));
    }
}
