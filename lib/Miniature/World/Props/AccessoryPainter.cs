using Dreambooth.Lab.Miniature.World.Figures;
using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Props;

/// <summary>Paints what a figure wears.</summary>
/// <param name="p">The painter, in figure units.</param>
/// <param name="figure">Who wears it.</param>
/// <param name="cloth">The colour of cloth.</param>
internal sealed class AccessoryPainter(Painter p, Figure figure, SKColor cloth)
{
    private static readonly SKColor Ink = Tint.Hex(0x231A26);
    private static readonly SKColor[] Cloths =
        [Tint.Hex(0xD8343C), Tint.Hex(0x2F62C8), Tint.Hex(0x2E9E5B), Tint.Hex(0xF2B828), Tint.Hex(0x8E3FB0), Tint.Hex(0x23A6B8)];

    private readonly SKColor _dark = Tint.Darker(cloth, 0.45f);
    private readonly SKColor _light = Tint.Lighter(cloth, 0.35f);

    /// <summary>A cloth colour that stands out from a coat.</summary>
    public static SKColor ClothFor(SKColor coat, SeededRandom random)
    {
        var start = random.Index(Cloths.Length);
        for (var i = 0; i < Cloths.Length; i++)
        {
            var cloth = Cloths[(start + i) % Cloths.Length];
            var distance = Math.Abs(cloth.Red - coat.Red) + Math.Abs(cloth.Green - coat.Green) + Math.Abs(cloth.Blue - coat.Blue);
            if (distance > 190)
                return cloth;
        }

        return Cloths[start];
    }

    /// <summary>Paints what lies between body and head.</summary>
    public void PaintNeck(Accessory accessory)
    {
        if (figure.Neck is not { } neck || accessory is not (Accessory.Scarf or Accessory.BowTie or Accessory.Collar))
            return;
        p.Canvas.Save();
        p.Canvas.Translate(neck.X, neck.Y);
        p.Canvas.RotateDegrees(neck.Degrees);
        var w = neck.Width;
        if (accessory == Accessory.Scarf)
            Scarf(w);
        else if (accessory == Accessory.Collar)
            Collar(w);
        p.Canvas.Restore();
    }

    /// <summary>Paints what lies over the head.</summary>
    public void PaintHead(Accessory accessory)
    {
        if (accessory == Accessory.Glasses)
        {
            Glasses();
            return;
        }

        if (accessory == Accessory.BowTie && figure.Neck is { } neck)
        {
            p.Canvas.Save();
            p.Canvas.Translate(neck.X, neck.Y + 5);
            BowTie();
            p.Canvas.Restore();
            return;
        }

        var crown = figure.Crown;
        p.Canvas.Save();
        p.Canvas.Translate(crown.X, crown.Y);
        p.Canvas.RotateDegrees(crown.Degrees);
        if (accessory == Accessory.Hat)
            Hat();
        else if (accessory == Accessory.Crown)
            Crown();
        else if (accessory == Accessory.PartyHat)
            PartyHat();
        p.Canvas.Restore();
    }

    private void Shape(SKPath path, SKColor colour)
    {
        p.StrokeKept(path, _dark, 2);
        p.Fill(path, colour);
    }

    private void Scarf(float w)
    {
        Shape(Outline.Blob(3, 6, 11, 4, 14, 20, 13, 31, 5, 32, 3, 18), Tint.Mix(cloth, _dark, 0.18f));
        p.Line(5, 23, 13, 22, _light, 2.4f);
        p.Line(5.5f, 28, 13, 27.5f, _light, 2);
        using var wrap = Outline.Blob(-w - 2, -6, 0, -3, w + 2, -6, w + 5, 2, w, 9, 0, 12, -w, 9, -w - 5, 2);
        p.StrokeKept(wrap, _dark, 2);
        p.Blend(wrap, -w, 0, w, 0, _light, cloth, Tint.Mix(cloth, _dark, 0.4f));
        p.Clip(wrap);
        for (var x = -w; x <= w + 4; x += 8)
            p.Stroke(Outline.Curve(x - 2, -8, x, 4, x - 3, 13), _light, 2.2f);
        p.Release();
    }

    private void Collar(float w)
    {
        using var band = Outline.Blob(-w, -3, 0, 2, w, -3, w + 1, 3, 0, 8.5f, -w - 1, 3);
        p.StrokeKept(band, _dark, 1.6f);
        p.FillKept(band, cloth);
        p.Ellipse(0, 10.5f, 5.4f, 5.4f, Tint.Hex(0x6B4A08));
        p.Ellipse(0, 10.5f, 4.4f, 4.4f, Tint.Hex(0xF6C93A));
        p.Ellipse(-1.4f, 9, 1.3f, 1.3f, SKColors.White);
        p.Line(-2.4f, 12, 2.4f, 12, Tint.Hex(0x6B4A08), 1);
    }

    private void BowTie()
    {
        foreach (var side in (ReadOnlySpan<float>)[-1, 1])
            Shape(
                Outline.Blob(0, -2, side * 6, -6.5f, side * 14, -8.5f, side * 15.5f, 0, side * 14, 8.5f, side * 6, 6.5f, 0, 2),
                side < 0 ? _light : cloth);
        Shape(Outline.Ellipse(0, 0, 3.4f, 4.2f), Tint.Mix(cloth, _dark, 0.25f));
    }

    private void Glasses()
    {
        if (figure.Eyes.Count < 2)
            return;
        var (a, b) = (figure.Eyes[0], figure.Eyes[1]);
        var r = MathF.Max(MathF.Min((b.X - a.X) * 0.43f, 8.6f), 6.2f);
        foreach (var eye in figure.Eyes)
        {
            p.Ellipse(eye.X, eye.Y, r, r, Tint.Fade(Tint.Hex(0xCFEFFF), 0.28f));
            p.Ring(eye.X, eye.Y, r, r, Ink, 2.3f);
            p.Line(eye.X - (r * 0.5f), eye.Y - (r * 0.1f), eye.X - (r * 0.1f), eye.Y - (r * 0.5f), Tint.Fade(SKColors.White, 0.85f), 1.2f);
        }

        p.Stroke(Outline.Curve(a.X + r, a.Y - 0.5f, (a.X + b.X) / 2, ((a.Y + b.Y) / 2) - 2.2f, b.X - r, b.Y - 0.5f), Ink, 2.2f);
        p.Line(a.X - r, a.Y, a.X - r - 5, a.Y - 2, Ink, 2);
        p.Line(b.X + r, b.Y, b.X + r + 5, b.Y - 2, Ink, 2);
    }

    private void Hat()
    {
        using var brim = Outline.Ellipse(0, 0, 19, 5);
        p.StrokeKept(brim, Tint.Hex(0x0D0A10), 1.6f);
        p.FillKept(brim, Tint.Hex(0x2A2530));
        using var body = Outline.Blob(-12, -1, -12.5f, -12, -13.5f, -24, 0, -26, 13.5f, -24, 12.5f, -12, 12, -1, 0, 2.5f);
        p.StrokeKept(body, Tint.Hex(0x0D0A10), 1.6f);
        p.Blend(body, -13, 0, 13, 0, Tint.Hex(0x6A6372), Tint.Hex(0x332D3A), Tint.Hex(0x1C1822));
        using var ribbon = Outline.Blob(-12.2f, -8, 0, -5, 12.2f, -8, 12, -1.5f, 0, 1.6f, -12, -1.5f);
        p.Blend(ribbon, -12, 0, 12, 0, _light, cloth, _dark);
    }

    private void Crown()
    {
        using var crown = Outline.Polygon(-13, 3, -15, -13, -8, -6, 0, -17, 8, -6, 15, -13, 13, 3);
        p.StrokeKept(crown, Tint.Hex(0x7A4E06), 2);
        p.Blend(crown, -14, -10, 14, 4, Tint.Hex(0xFFF2A8), Tint.Hex(0xF7C52E), Tint.Hex(0xC98A10));
        p.Line(-12.5f, 1, 12.5f, 1, Tint.Hex(0xB57A0C), 1.8f);
        foreach (var (x, y) in (ReadOnlySpan<(float, float)>)[(-15, -14), (0, -18), (15, -14)])
            p.Ellipse(x, y, 2.6f, 2.6f, Tint.Hex(0xFFE06A));
        p.Ellipse(0, -4, 2.8f, 2.8f, cloth);
        p.Ellipse(-7.5f, -2.6f, 2, 2, cloth);
        p.Ellipse(7.5f, -2.6f, 2, 2, cloth);
    }

    private void PartyHat()
    {
        using var cone = Outline.Polygon(-12, 2, 0, -31, 12, 2);
        p.StrokeKept(cone, _dark, 2);
        p.Blend(cone, -12, 0, 12, 0, _light, cloth, Tint.Mix(cloth, _dark, 0.4f));
        p.Clip(cone);
        for (var y = -24f; y < 4; y += 9)
            p.Line(-14, y + 5, 14, y - 3, Tint.Hex(0xFFF6DA), 3);
        p.Release();
        p.Ellipse(0, -31, 4.6f, 4.6f, _dark);
        p.Ellipse(0, -31, 3.7f, 3.7f, Tint.Hex(0xFFF1B0));
    }
}
