using Dreambooth.Lab.Miniature.World.Figures;
using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Materials;

/// <summary>Folded paper: every part becomes a polygon of flat facets with sharp creases.</summary>
internal sealed class OrigamiMaterial(CoatColours colours, Light light) : Material(colours, null, light)
{
    private const int Samples = 40;

    /// <inheritdoc/>
    public override void PaintEyes(Painter p, Figure figure)
    {
        foreach (var eye in figure.Eyes)
        {
            var r = MathF.Max(eye.Radius, 4);
            p.Fill(
                Outline.Polygon(eye.X - r, eye.Y, eye.X, eye.Y - (r * 0.7f), eye.X + r, eye.Y, eye.X, eye.Y + (r * 0.7f)),
                Tint.Hex(0x1C1820));
        }
    }

    /// <inheritdoc/>
    protected override void PaintLine(Painter p, FigurePart part)
    {
        Span<float> corners = stackalloc float[Samples * 2];
        var count = Corners(part.Path, corners);
        p.Stroke(Outline.Polygon(corners[..(2 * count)]), Tint.Darker(ColourOf(part), 0.5f), 1.8f);
    }

    /// <inheritdoc/>
    protected override void PaintPart(Painter p, FigurePart part)
    {
        if (part.LineWidth > 0)
            return;
        Span<float> corners = stackalloc float[Samples * 2];
        var count = Corners(part.Path, corners);
        var colour = ColourOf(part);
        if (part.Flat)
        {
            p.Fill(Outline.Polygon(corners[..(2 * count)]), colour);
            return;
        }

        var box = part.Path.Bounds;
        var (cx, cy) = (box.MidX + (Light.Side * box.Width * 0.08f), box.MidY - (box.Height * 0.06f));
        p.Fill(Outline.Polygon(corners[..(2 * count)]), colour);
        for (var i = 0; i < count; i++)
        {
            var j = (i + 1) % count;
            var (x0, y0, x1, y1) = (corners[2 * i], corners[(2 * i) + 1], corners[2 * j], corners[(2 * j) + 1]);
            var (dx, dy) = ((((x0 + x1) / 2) - cx) / box.Width, (((y0 + y1) / 2) - cy) / box.Height);
            var length = MathF.Max(MathF.Sqrt((dx * dx) + (dy * dy)), 1e-3f);
            var lit = ((dx * Light.Side * 0.75f) - (dy * 0.65f)) / length;
            lit += i % 2 == 0 ? 0.2f : -0.2f;
            var facet = lit > 0 ? Tint.Lighter(colour, MathF.Min(lit * 0.5f, 0.55f)) : Tint.Darker(colour, MathF.Min(-lit * 0.42f, 0.46f));
            p.Fill(Outline.Polygon(cx, cy, x0, y0, x1, y1), facet);
        }

        for (var i = 0; i < count; i++)
            p.Line(cx, cy, corners[2 * i], corners[(2 * i) + 1], Tint.Fade(SKColors.White, 0.4f), 0.6f);
    }

    // The corners of a polygon that follows a path: sampled evenly, then thinned (Douglas and Peucker) to those that matter.
    private static int Corners(SKPath path, Span<float> corners)
    {
        using var measure = new SKPathMeasure(path);
        Span<SKPoint> points = stackalloc SKPoint[Samples];
        for (var i = 0; i < Samples; i++)
            points[i] = measure.GetPosition(measure.Length * i / Samples);
        Span<bool> keep = stackalloc bool[Samples + 1];
        var far = 0;
        for (var i = 1; i < Samples; i++)
        {
            if (SKPoint.DistanceSquared(points[0], points[i]) > SKPoint.DistanceSquared(points[0], points[far]))
                far = i;
        }

        keep[0] = keep[far] = true;
        var box = path.Bounds;
        var tolerance = MathF.Max(0.085f * MathF.Min(box.Width, box.Height), 0.6f);
        Thin(points, keep, 0, far, tolerance);
        Thin(points, keep, far, Samples, tolerance);
        var count = 0;
        for (var i = 0; i < Samples; i++)
        {
            if (!keep[i])
                continue;
            corners[2 * count] = points[i].X;
            corners[(2 * count) + 1] = points[i].Y;
            count++;
        }

        return count;
    }

    private static void Thin(Span<SKPoint> points, Span<bool> keep, int from, int to, float tolerance)
    {
        var (a, b) = (points[from], points[to % Samples]);
        var (dx, dy) = (b.X - a.X, b.Y - a.Y);
        var length = MathF.Max(MathF.Sqrt((dx * dx) + (dy * dy)), 1e-3f);
        var (best, at) = (0f, -1);
        for (var i = from + 1; i < to; i++)
        {
            var distance = MathF.Abs((dx * (points[i].Y - a.Y)) - (dy * (points[i].X - a.X))) / length;
            if (distance > best)
                (best, at) = (distance, i);
        }

        if (best < tolerance)
            return;
        keep[at] = true;
        Thin(points, keep, from, at, tolerance);
        Thin(points, keep, at, to, tolerance);
    }
}
