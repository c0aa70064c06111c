using Dreambooth.Lab.Miniature.World.Figures;
using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Materials;

/// <summary>A patterned coat as a shader that lies over a whole figure, so that bands run on from part to part.</summary>
internal sealed class CoatTexture : IDisposable
{
    private readonly SKSurface _surface;
    private readonly SKImage _image;

    /// <summary>Paints the texture.</summary>
    /// <param name="size">The side of the picture, in pixels.</param>
    /// <param name="matrix">From figure units to pixels.</param>
    /// <param name="ground">The colour below.</param>
    /// <param name="paint">Paints the pattern, in figure units.</param>
    public CoatTexture(int size, SKMatrix matrix, SKColor ground, Action<Painter> paint)
    {
        _surface = SKSurface.Create(new SKImageInfo(size, size, SKColorType.Rgba8888, SKAlphaType.Premul));
        var canvas = _surface.Canvas;
        canvas.Clear(ground);
        canvas.SetMatrix(matrix);
        using (var painter = new Painter(canvas))
            paint(painter);
        _image = _surface.Snapshot();
        Shader = _image.ToShader(
            SKShaderTileMode.Clamp, SKShaderTileMode.Clamp, new SKSamplingOptions(SKFilterMode.Linear), matrix.Invert());
    }

    /// <summary>The texture, in figure units.</summary>
    public SKShader Shader { get; }

    /// <summary>The texture of a coat pattern.</summary>
    public static CoatTexture Of(
        CoatPattern pattern, SubjectKind kind, SubjectPose pose, Figure figure, CoatColours colours, int size, SKMatrix matrix,
        SeededRandom random) =>
        new(size, matrix, colours.Base, p =>
        {
            var box = figure.Bounds;
            switch (pattern)
            {
                case CoatPattern.Striped:
                    PaintStripes(p, kind, pose, figure, box, colours, random);
                    break;
                case CoatPattern.Spotted:
                    PaintSpots(p, box, colours.Figure, random);
                    break;
                case CoatPattern.Patched:
                    PaintPatches(p, figure, box, colours.Figure, random);
                    break;
                case CoatPattern.Checked:
                    PaintChecks(p, box, colours.Figure, random);
                    break;
                default:
                    break;
            }
        });

    /// <inheritdoc/>
    public void Dispose()
    {
        Shader.Dispose();
        _image.Dispose();
        _surface.Dispose();
    }

    private static void PaintStripes(
        Painter p, SubjectKind kind, SubjectPose pose, Figure figure, SKRect box, CoatColours colours, SeededRandom random)
    {
        var animal = kind <= SubjectKind.Bear;
        var upright = animal ? pose != SubjectPose.Sitting : kind is SubjectKind.Car or SubjectKind.Duck;
        var step = random.Range(12.5f, 14);
        var bend = random.Range(3, 6);
        if (upright)
        {
            for (var x = box.Left - random.Range(0, step); x < box.Right; x += step)
                p.Stroke(Outline.Curve(x + 3, box.Top, x - bend, box.MidY, x + 3, box.Bottom), colours.Figure, 5.4f);
        }
        else
        {
            for (var y = box.Bottom + random.Range(0, step); y > box.Top; y -= step)
                p.Stroke(Outline.Curve(box.Left, y - 3, box.MidX, y + bend, box.Right, y - 3), colours.Figure, 5.4f);
        }

        if (!animal)
            return;
        var head = figure.Masses[^1];
        p.Canvas.Save();
        p.Canvas.Translate(head.X, head.Y + 2);
        p.Canvas.RotateDegrees(head.Degrees);
        p.Ellipse(0, 0, 30, 23, colours.Base);
        foreach (var x in (ReadOnlySpan<float>)[-9.5f, 0, 9.5f])
            p.Stroke(Outline.Curve(x * 1.25f, -23, x, -17, x * 0.85f, x == 0 ? -8 : -11), colours.Figure, 4.4f);
        foreach (var side in (ReadOnlySpan<float>)[-1, 1])
        {
            p.Stroke(Outline.Curve(side * 27, 0, side * 21, 1.5f, side * 16, 4), colours.Figure, 3.8f);
            p.Stroke(Outline.Curve(side * 25, 10, side * 19, 9.5f, side * 14, 11), colours.Figure, 3.8f);
        }

        p.Canvas.Restore();
    }

    private static void PaintSpots(Painter p, SKRect box, SKColor colour, SeededRandom random)
    {
        const float Step = 15;
        var odd = false;
        for (var y = box.Top + random.Range(0, 5); y < box.Bottom; y += Step * 0.86f)
        {
            for (var x = box.Left + (odd ? Step / 2 : 0); x < box.Right; x += Step)
            {
                var r = random.Range(3.7f, 5);
                p.Ellipse(x + random.Range(-2, 2), y + random.Range(-2, 2), r, r * random.Range(0.85f, 1), colour);
            }

            odd = !odd;
        }
    }

    private static void PaintPatches(Painter p, Figure figure, SKRect box, SKColor colour, SeededRandom random)
    {
        var side = random.Chance(0.5) ? 1 : -1;
        var top = figure.Masses[^1];
        Patch(top.X + (side * 11), top.Y - 3, 13);
        Patch(box.MidX + (side * 15), box.Bottom - 20, 14);
        Patch(box.MidX - (side * 20), box.Bottom - (box.Height * 0.42f), 13.5f);
        if (box.Width > 80)
            Patch(box.Right - 18, box.Bottom - (box.Height * 0.5f), 13.5f);

        void Patch(float x, float y, float r)
        {
            Span<float> xy = stackalloc float[14];
            for (var i = 0; i < 7; i++)
            {
                var (sin, cos) = MathF.SinCos(i * MathF.Tau / 7);
                var reach = r * random.Range(0.78f, 1.2f);
                xy[2 * i] = x + (cos * reach);
                xy[(2 * i) + 1] = y + (sin * reach);
            }

            p.Fill(Outline.Blob(xy), colour);
        }
    }

    private static void PaintChecks(Painter p, SKRect box, SKColor colour, SeededRandom random)
    {
        const float Step = 9.5f;
        var row = 0;
        for (var y = box.Top - random.Range(0, Step); y < box.Bottom; y += Step, row++)
        {
            for (var x = box.Left - Step + ((row % 2) * Step); x < box.Right; x += 2 * Step)
                p.Rect(x, y, x + Step, y + Step, colour);
        }
    }
}
