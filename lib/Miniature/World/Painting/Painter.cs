using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Painting;

/// <summary>
/// Paints on a canvas in units of 1/128 of the picture's side. Paths handed to it are disposed after use unless the member says otherwise.
/// </summary>
internal sealed class Painter(SKCanvas canvas) : IDisposable
{
    private readonly SKPaint _paint = new() { IsAntialias = true };

    /// <summary>The canvas, for transforms and layers.</summary>
    public SKCanvas Canvas { get; } = canvas;

    /// <summary>Fills a path.</summary>
    public void Fill(SKPath path, SKColor colour)
    {
        FillKept(path, colour);
        path.Dispose();
    }

    /// <summary>Fills a path and leaves it to the caller.</summary>
    public void FillKept(SKPath path, SKColor colour)
    {
        _paint.Style = SKPaintStyle.Fill;
        _paint.Color = colour;
        Canvas.DrawPath(path, _paint);
    }

    /// <summary>Fills a path with a shader; both stay the caller's.</summary>
    public void FillKept(SKPath path, SKShader shader)
    {
        _paint.Style = SKPaintStyle.Fill;
        _paint.Color = SKColors.Black;
        _paint.Shader = shader;
        Canvas.DrawPath(path, _paint);
        _paint.Shader = null;
    }

    /// <summary>Strokes a path with round ends and leaves it to the caller.</summary>
    public void StrokeKept(SKPath path, SKColor colour, float width)
    {
        _paint.Style = SKPaintStyle.Stroke;
        _paint.StrokeWidth = width;
        _paint.StrokeCap = SKStrokeCap.Round;
        _paint.StrokeJoin = SKStrokeJoin.Round;
        _paint.Color = colour;
        Canvas.DrawPath(path, _paint);
    }

    /// <summary>Strokes a path.</summary>
    public void Stroke(SKPath path, SKColor colour, float width)
    {
        StrokeKept(path, colour, width);
        path.Dispose();
    }

    /// <summary>Strokes a path with dashes.</summary>
    public void Dash(SKPath path, SKColor colour, float width, float on, float off)
    {
        using var effect = SKPathEffect.CreateDash([on, off], 0);
        _paint.PathEffect = effect;
        StrokeKept(path, colour, width);
        _paint.PathEffect = null;
    }

    /// <summary>A straight line with round ends.</summary>
    public void Line(float x0, float y0, float x1, float y1, SKColor colour, float width)
    {
        _paint.Style = SKPaintStyle.Stroke;
        _paint.StrokeWidth = width;
        _paint.StrokeCap = SKStrokeCap.Round;
        _paint.Color = colour;
        Canvas.DrawLine(x0, y0, x1, y1, _paint);
    }

    /// <summary>An ellipse by its centre and radii.</summary>
    public void Ellipse(float cx, float cy, float rx, float ry, SKColor colour)
    {
        _paint.Style = SKPaintStyle.Fill;
        _paint.Color = colour;
        Canvas.DrawOval(cx, cy, rx, ry, _paint);
    }

    public void Ring(float cx, float cy, float rx, float ry, SKColor colour, float width)
    {
        _paint.Style = SKPaintStyle.Stroke;
        _paint.StrokeWidth = width;
        _paint.Color = colour;
        Canvas.DrawOval(cx, cy, rx, ry, _paint);
    }

    /// <summary>A rectangle.</summary>
    public void Rect(float left, float top, float right, float bottom, SKColor colour, float radius = 0)
    {
        _paint.Style = SKPaintStyle.Fill;
        _paint.Color = colour;
        if (radius > 0)
            Canvas.DrawRoundRect(new SKRect(left, top, right, bottom), radius, radius, _paint);
        else
            Canvas.DrawRect(left, top, right - left, bottom - top, _paint);
    }

    /// <summary>A rectangle with colours from top to bottom.</summary>
    public void Fall(float left, float top, float right, float bottom, params SKColor[] colours)
    {
        using var path = Outline.Box(left, top, right, bottom);
        Blend(path, left, top, left, bottom, colours);
    }

    /// <summary>Fills a path with colours along a line; the path stays the caller's.</summary>
    public void Blend(SKPath path, float x0, float y0, float x1, float y1, params SKColor[] colours)
    {
        using var shader = SKShader.CreateLinearGradient(new SKPoint(x0, y0), new SKPoint(x1, y1), colours, SKShaderTileMode.Clamp);
        FillKept(path, shader);
    }

    /// <summary>Fills a path with colours from a centre outwards; the path stays the caller's.</summary>
    public void Round(SKPath path, float cx, float cy, float radius, SKColor[] colours, float[]? stops = null)
    {
        using var shader = SKShader.CreateRadialGradient(new SKPoint(cx, cy), radius, colours, stops, SKShaderTileMode.Clamp);
        FillKept(path, shader);
    }

    /// <summary>A soft light or shadow: the colour at the centre, nothing at the rim.</summary>
    public void Glow(float cx, float cy, float rx, float ry, SKColor colour)
    {
        Canvas.Save();
        Canvas.Translate(cx, cy);
        Canvas.Scale(rx, ry);
        using var shader = SKShader.CreateRadialGradient(
            default,
            1,
            [colour, colour.WithAlpha((byte)(colour.Alpha * 0.55f)), colour.WithAlpha(0)],
            [0, 0.5f, 1],
            SKShaderTileMode.Clamp);
        _paint.Style = SKPaintStyle.Fill;
        _paint.Color = SKColors.Black;
        _paint.Shader = shader;
        Canvas.DrawRect(-1, -1, 2, 2, _paint);
        _paint.Shader = null;
        Canvas.Restore();
    }

    /// <summary>Restricts painting to a path until <see cref="Release"/>.</summary>
    public void Clip(SKPath path)
    {
        Canvas.Save();
        Canvas.ClipPath(path, SKClipOperation.Intersect, antialias: true);
    }

    /// <summary>Ends the last <see cref="Clip"/>.</summary>
    public void Release() => Canvas.Restore();

    /// <inheritdoc/>
    public void Dispose() => _paint.Dispose();
}
