using Dreambooth.Lab.Miniature.World.Figures;
using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Materials;

/// <summary>Half machine: one half of head and body is plated with metal; one eye is a red lamp.</summary>
internal sealed class CyborgMaterial(CoatColours colours, CoatTexture? texture, Light light) : Material(colours, texture, light)
{
    /// <inheritdoc/>
    public override void PaintEyes(Painter p, Figure figure)
    {
        PlateLargest(p, figure, FigureLayer.Head);
        base.PaintEyes(p, figure);
        var lamp = figure.Eyes.Count > 0 ? figure.Eyes[1] : new Eye(figure.Shoulders.X + 10, figure.Shoulders.Y + 4, 6, default, false);
        var r = MathF.Max(lamp.Radius, 4.8f);
        p.Glow(lamp.X, lamp.Y, r * 3, r * 3, Tint.Fade(Tint.Hex(0xFF2A1E), 0.75f));
        p.Ellipse(lamp.X, lamp.Y, r + 2.2f, r + 2.2f, Tint.Hex(0x2B2F36));
        p.Ellipse(lamp.X, lamp.Y, r, r, Tint.Hex(0xFF2A1E));
        p.Ellipse(lamp.X, lamp.Y, r * 0.5f, r * 0.5f, Tint.Hex(0xFFC2A8));
    }

    /// <summary>Plates the body; to be called between the body and what is worn.</summary>
    public static void PlateBody(Painter p, Figure figure) => PlateLargest(p, figure, FigureLayer.Body);

    private static void PlateLargest(Painter p, Figure figure, FigureLayer layer)
    {
        FigurePart? largest = null;
        var size = 0f;
        foreach (var part in figure.Parts)
        {
            var box = part.Path.Bounds;
            if (part.Layer == layer && part.Role == PartRole.Coat && !part.Flat && box.Width * box.Height > size)
                (largest, size) = (part, box.Width * box.Height);
        }

        if (largest is not null && size > 900)
            Plate(p, largest.Path, layer == FigureLayer.Body);
    }

    private static void Plate(Painter p, SKPath path, bool body)
    {
        var box = path.Bounds;
        var edge = box.Left + (box.Width * (body ? 0.5f : 0.53f));
        p.Clip(path);
        using (var half = Outline.Blob(
            edge, box.Top - 4, edge + 3, box.MidY, edge - 2, box.Bottom + 4, box.Right + 20, box.Bottom + 8, box.Right + 20, box.Top - 8))
        {
            p.Blend(
                half, edge, box.Top, box.Right, box.Bottom, Tint.Hex(0xE9EEF3), Tint.Hex(0x98A3AF), Tint.Hex(0xC9D1D9), Tint.Hex(0x5B6570));
            p.StrokeKept(half, Tint.Hex(0x30363E), 1.8f);
        }

        var seam = Tint.Fade(Tint.Hex(0x2B3038), 0.75f);
        var low = box.Top + (box.Height * 0.66f);
        p.Line(edge, low, box.Right, low - 3, seam, 1.2f);
        if (body)
            p.Line(edge, box.Top + (box.Height * 0.36f), box.Right, box.Top + (box.Height * 0.33f), seam, 1.2f);
        for (var i = 0; i < 3; i++)
        {
            var y = box.Top + (box.Height * (0.2f + (i * 0.3f)));
            p.Ellipse(edge + 5.5f, y, 1.7f, 1.7f, Tint.Hex(0x3A4049));
            p.Ellipse(edge + 5.2f, y - 0.4f, 0.7f, 0.7f, SKColors.White);
        }

        p.Release();
    }
}
