using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Painting;

/// <summary>Makes the paths that painted pictures are built of. The caller owns the paths.</summary>
internal static class Outline
{
    /// <summary>A closed smooth curve through points (Catmull-Rom), given as x, y, x, y...</summary>
    public static SKPath Blob(params ReadOnlySpan<float> xy) => Smooth(xy, closed: true);

    /// <summary>An open smooth curve through points.</summary>
    public static SKPath Curve(params ReadOnlySpan<float> xy) => Smooth(xy, closed: false);

    /// <summary>A closed polygon.</summary>
    public static SKPath Polygon(params ReadOnlySpan<float> xy)
    {
        var path = new SKPath();
        path.MoveTo(xy[0], xy[1]);
        for (var i = 2; i < xy.Length; i += 2)
            path.LineTo(xy[i], xy[i + 1]);
        path.Close();
        return path;
    }

    /// <summary>An ellipse by its centre and radii, turned by an angle in degrees.</summary>
    public static SKPath Ellipse(float cx, float cy, float rx, float ry, float degrees = 0)
    {
        var path = new SKPath();
        path.AddOval(new SKRect(cx - rx, cy - ry, cx + rx, cy + ry));
        if (degrees != 0)
            path.Transform(SKMatrix.CreateRotationDegrees(degrees, cx, cy));
        return path;
    }

    /// <summary>A rectangle with round corners.</summary>
    public static SKPath Box(float left, float top, float right, float bottom, float radius = 0)
    {
        var path = new SKPath();
        path.AddRoundRect(new SKRect(left, top, right, bottom), radius, radius);
        return path;
    }

    /// <summary>A limb: a round-ended taper from one point to another.</summary>
    public static SKPath Limb(float x0, float y0, float r0, float x1, float y1, float r1) => Tube([x0, y0, x1, y1], [r0, r1]);

    /// <summary>A tube round a curve: <paramref name="radii"/> holds one radius for each point.</summary>
    public static SKPath Tube(ReadOnlySpan<float> xy, ReadOnlySpan<float> radii)
    {
        var count = radii.Length;
        Span<float> outline = stackalloc float[(count * 4) + 4];
        var at = 0;
        for (var i = 0; i < count; i++)
        {
            Normal(xy, i, count, out var nx, out var ny);
            outline[at++] = xy[2 * i] + (nx * radii[i]);
            outline[at++] = xy[(2 * i) + 1] + (ny * radii[i]);
        }

        Normal(xy, count - 1, count, out var ex, out var ey);
        outline[at++] = xy[^2] + (ey * radii[count - 1]);
        outline[at++] = xy[^1] - (ex * radii[count - 1]);
        for (var i = count - 1; i >= 0; i--)
        {
            Normal(xy, i, count, out var nx, out var ny);
            outline[at++] = xy[2 * i] - (nx * radii[i]);
            outline[at++] = xy[(2 * i) + 1] - (ny * radii[i]);
        }

        Normal(xy, 0, count, out var sx, out var sy);
        outline[at++] = xy[0] - (sy * radii[0]);
        outline[at++] = xy[1] + (sx * radii[0]);
        return Smooth(outline, closed: true);
    }

    /// <summary>The path moved, and the old one disposed.</summary>
    public static SKPath Moved(SKPath path, SKMatrix matrix)
    {
        path.Transform(matrix);
        return path;
    }

    // The unit normal at a point of a polyline, so that (ny, -nx) points along it.
    private static void Normal(ReadOnlySpan<float> xy, int i, int count, out float nx, out float ny)
    {
        var a = Math.Max(i - 1, 0);
        var b = Math.Min(i + 1, count - 1);
        var dx = xy[2 * b] - xy[2 * a];
        var dy = xy[(2 * b) + 1] - xy[(2 * a) + 1];
        var length = MathF.Max(MathF.Sqrt((dx * dx) + (dy * dy)), 1e-4f);
        nx = -dy / length;
        ny = dx / length;
    }

    private static SKPath Smooth(ReadOnlySpan<float> xy, bool closed)
    {
        var path = new SKPath();
        var count = xy.Length / 2;
        path.MoveTo(xy[0], xy[1]);
        var segments = closed ? count : count - 1;
        for (var i = 0; i < segments; i++)
        {
            var before = closed ? (i + count - 1) % count : Math.Max(i - 1, 0);
            var next = (i + 1) % count;
            var after = closed ? (i + 2) % count : Math.Min(i + 2, count - 1);
            const float Pull = 1f / 6;
            path.CubicTo(
                xy[2 * i] + ((xy[2 * next] - xy[2 * before]) * Pull),
                xy[(2 * i) + 1] + ((xy[(2 * next) + 1] - xy[(2 * before) + 1]) * Pull),
                xy[2 * next] - ((xy[2 * after] - xy[2 * i]) * Pull),
                xy[(2 * next) + 1] - ((xy[(2 * after) + 1] - xy[(2 * i) + 1]) * Pull),
                xy[2 * next],
                xy[(2 * next) + 1]);
        }

        if (closed)
            path.Close();
        return path;
    }
}
