using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>Short thick strokes that follow the shapes and swirl where there are none.</summary>
internal sealed class OilPaintingFilter : RenditionFilter
{
    /// <inheritdoc/>
    public override void Apply(Composition picture, SeededRandom random)
    {
        var (size, u) = (picture.Size, picture.Unit);
        var source = picture.Rgba.ToArray();
        var luma = Raster.Luma(source);
        var slope = Raster.Blur(luma, size, Math.Max(1, (int)(2 * u)));
        var swirl = Raster.Noise(size, 30 * u, random);
        var info = new SKImageInfo(size, size, SKColorType.Rgba8888, SKAlphaType.Premul);
        using var surface = SKSurface.Create(info);
        using var paint = new SKPaint { IsAntialias = true, Style = SKPaintStyle.Stroke, StrokeCap = SKStrokeCap.Butt };
        using var pixels = surface.PeekPixels();
        Raster.Blur(source, size, Math.Max(1, (int)(2 * u))).CopyTo(pixels.GetPixelSpan<byte>());
        var painting = new Strokes(surface.Canvas, paint, picture, source, luma, slope, swirl, Raster.Edges(source, size), random);
        painting.Cover(4.4f * u, 10.5f * u, 5.4f * u, subjectOnly: false);
        painting.Cover(3.1f * u, 5.5f * u, 2.5f * u, subjectOnly: true);
        painting.Cover(1.9f * u, 2.6f * u, 1.5f * u, subjectOnly: true, detailOnly: true);
        pixels.GetPixelSpan<byte>().CopyTo(picture.Rgba);
        KeepSubject(picture, source);
        Emboss(picture);
    }

    // Strokes as broad as an eye would paint it away.
    private static void KeepSubject(Composition picture, byte[] source)
    {
        for (var i = 0; i < source.Length; i++)
        {
            if (picture.Mask[i / 4] > 0)
                picture.Rgba[i] = Raster.Level(picture.Rgba[i] + ((source[i] - picture.Rgba[i]) * 0.45f));
        }
    }

    // Ridges of paint: light from the upper left.
    private static void Emboss(Composition picture)
    {
        var (size, luma) = (picture.Size, Raster.Luma(picture.Rgba));
        for (var y = 1; y < size - 1; y++)
        {
            for (var x = 1; x < size - 1; x++)
            {
                var i = (y * size) + x;
                var ridge = Math.Clamp((luma[i] - luma[i - size - 1]) * 0.24f, -14, 14);
                for (var channel = 0; channel < 3; channel++)
                    picture.Rgba[(4 * i) + channel] = Raster.Level(picture.Rgba[(4 * i) + channel] + ridge);
            }
        }
    }

    private sealed class Strokes(
        SKCanvas canvas, SKPaint paint, Composition picture, byte[] source, float[] luma, float[] slope, float[] swirl, float[] edges,
        SeededRandom random)
    {
        private readonly int _size = picture.Size;

        public void Cover(float step, float length, float width, bool subjectOnly, bool detailOnly = false)
        {
            for (var gy = 0f; gy < _size + step; gy += step)
            {
                for (var gx = 0f; gx < _size + step; gx += step)
                {
                    var x = Math.Clamp((int)(gx + random.Range(-step, step)), 1, _size - 2);
                    var y = Math.Clamp((int)(gy + random.Range(-step, step)), 1, _size - 2);
                    var i = (y * _size) + x;
                    if ((subjectOnly && picture.Mask[i] == 0) || (detailOnly && edges[i] < 42))
                        continue;
                    Stroke(x, y, i, length * random.Range(0.7f, 1.2f), width * random.Range(0.8f, 1.15f));
                }
            }
        }

        private void Stroke(int x, int y, int i, float length, float width)
        {
            var (dx, dy) = (slope[i + 1] - slope[i - 1], slope[i + _size] - slope[i - _size]);
            var angle = MathF.Abs(dx) + MathF.Abs(dy) > 4
                ? MathF.Atan2(dy, dx) + (MathF.PI / 2)
                : (swirl[i] * 3.2f) + 0.3f;
            var (sin, cos) = MathF.SinCos(angle);
            var shift = random.Range(-7, 7);
            byte Mixed(int channel)
            {
                var value = source[(4 * i) + channel];
                return Raster.Level(luma[i] + ((value - luma[i]) * 1.2f) + shift + random.Range(-2, 2));
            }

            paint.StrokeWidth = width;
            paint.Color = new SKColor(Mixed(0), Mixed(1), Mixed(2));
            canvas.DrawLine(x - (cos * length / 2), y - (sin * length / 2), x + (cos * length / 2), y + (sin * length / 2), paint);
        }
    }
}
