using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>
/// A Japanese woodblock print (ukiyo-e): few flat muted inks, ink outlines, a graded dark sky, a title slip and a red seal.
/// </summary>
internal sealed class WoodblockPrintFilter : RenditionFilter
{
    private static readonly SKColor[] Inks =
    [
        Tint.Hex(0x1F3A5F), Tint.Hex(0x4A78A6), Tint.Hex(0xA9C7CC), Tint.Hex(0xF3E6C8), Tint.Hex(0xDDC394), Tint.Hex(0xD8AE3C),
        Tint.Hex(0xBE3B2C),
        Tint.Hex(0xDD8A9B), Tint.Hex(0x64864A), Tint.Hex(0xA9B984), Tint.Hex(0x6B4430), Tint.Hex(0x2B292D), Tint.Hex(0x8B8983),
        Tint.Hex(0x6E4C86),
        Tint.Hex(0xD97F3A), Tint.Hex(0xC9C4B6),
    ];

    /// <inheritdoc/>
    public override void Apply(Composition picture, SeededRandom random)
    {
        var (size, u) = (picture.Size, picture.Unit);
        var soft = Raster.Blur(picture.Rgba, size, Math.Max(1, (int)u));
        var edges = Raster.Edges(soft, size);
        var rim = Raster.Rim(picture.Mask, size, Math.Max(1, (int)u));
        var grain = Raster.Noise(size, 26 * u, random);
        for (var i = 0; i < rim.Length; i++)
        {
            var subject = picture.Mask[i] > 0;
            var from = subject ? picture.Rgba : soft;
            var ink = Nearest(from[4 * i], from[(4 * i) + 1], from[(4 * i) + 2]);
            var y = i / size / u;
            var sky = subject ? 0 : 0.9f * (1 - Raster.Step(4, 26, y));
            var wood = subject ? 0 : 7 * MathF.Sin((y * 1.15f) + (grain[i] * 7));
            var line = MathF.Max(rim[i], Raster.Step(60, 130, edges[i]) * (subject ? 0.8f : 0.45f));
            picture.Rgba[4 * i] = Print(ink.Red, 31, sky, wood, line, 38);
            picture.Rgba[(4 * i) + 1] = Print(ink.Green, 58, sky, wood, line, 34);
            picture.Rgba[(4 * i) + 2] = Print(ink.Blue, 95, sky, wood, line, 40);
        }

        PaintSlip(picture, random);
    }

    private static byte Print(float ink, float indigo, float sky, float wood, float line, float black)
    {
        var value = ink + ((indigo - ink) * sky) + wood;
        return Raster.Level(value + ((black - value) * line));
    }

    private static SKColor Nearest(int r, int g, int b)
    {
        var (best, distance) = (0, int.MaxValue);
        for (var i = 0; i < Inks.Length; i++)
        {
            var (dr, dg, db) = (Inks[i].Red - r, Inks[i].Green - g, Inks[i].Blue - b);
            var d = (3 * dr * dr) + (4 * dg * dg) + (2 * db * db);
            if (d < distance)
                (best, distance) = (i, d);
        }

        return Inks[best];
    }

    // The title slip with signs, the red seal and the paper's margin.
    private static unsafe void PaintSlip(Composition picture, SeededRandom random)
    {
        var size = picture.Size;
        fixed (byte* pixels = picture.Rgba)
        {
            using var surface = SKSurface.Create(new SKImageInfo(size, size, SKColorType.Rgba8888, SKAlphaType.Premul), (IntPtr)pixels);
            using var p = new Painter(surface.Canvas);
            surface.Canvas.Scale(picture.Unit);
            var paper = Tint.Hex(0xF3E6C8);
            var ink = Tint.Hex(0x29262B);
            var x = random.Chance(0.5) ? 8f : 105f;
            p.Rect(x, 8, x + 15, 44, ink);
            p.Rect(x + 1, 9, x + 14, 43, paper);
            for (var row = 0; row < 3; row++)
            {
                var y = 12 + (row * 10.5f);
                p.Line(x + 4, y, x + 11, y, ink, 1.3f);
                p.Line(x + 7.5f, y - 1, x + 7.5f, y + 7, ink, 1.3f);
                p.Line(x + 4, y + 3.6f, x + (row == 1 ? 7 : 11), y + 3.6f, ink, 1.2f);
                p.Line(x + (row == 2 ? 4 : 11), y + 3.6f, x + (row == 0 ? 4 : 10), y + 7.5f, ink, 1.2f);
            }

            p.Rect(x + 2, 47, x + 13, 58, Tint.Hex(0xC23A2B), 1.6f);
            p.Ring(x + 7.5f, 52.5f, 3, 3, paper, 1.2f);
            p.Line(x + 7.5f, 49, x + 7.5f, 56, paper, 1.1f);
            p.Stroke(Outline.Box(1.8f, 1.8f, 126.2f, 126.2f), paper, 4);
            p.Stroke(Outline.Box(4, 4, 124, 124), ink, 0.9f);
        }
    }
}
