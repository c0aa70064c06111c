using Dreambooth.Lab.Miniature.World.Figures;
using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Materials;

/// <summary>White marble with grey veins and blank eyes.</summary>
internal sealed class StatueMaterial(CoatTexture veins, Light light)
    : Material(new CoatColours(Marble, Marble, Marble, Tint.Hex(0x6E6A70)), veins, light)
{
    /// <summary>The colour of the stone.</summary>
    public static SKColor Marble { get; } = Tint.Hex(0xE4E0DA);

    /// <summary>Veined stone over a figure.</summary>
    public static CoatTexture Veins(Figure figure, int size, SKMatrix matrix, SeededRandom random) => new(size, matrix, Marble, p =>
    {
        var box = figure.Bounds;
        for (var i = 0; i < 7; i++)
        {
            var x = box.Left + (box.Width * random.Range(-0.2f, 0.9f));
            var y = box.Top + (box.Height * random.Range(0, 1));
            var (dx, dy) = (random.Range(12, 26), random.Range(6, 18));
            p.Stroke(
                Outline.Curve(
                    x, y, x + dx, y + dy + random.Range(-5, 5), x + (2 * dx), y + dy + random.Range(-6, 6), x + (3 * dx), y + (2 * dy)),
                Tint.Fade(Tint.Hex(0x8C8A94), random.Range(0.35f, 0.7f)),
                random.Range(0.9f, 2));
        }
    });

    /// <inheritdoc/>
    public override void PaintEyes(Painter p, Figure figure)
    {
        foreach (var eye in figure.Eyes)
        {
            p.Ellipse(eye.X, eye.Y, eye.Radius + 0.8f, eye.Radius + 0.8f, Tint.Hex(0x7E7A80));
            p.Ellipse(eye.X + (Light.Side * -0.5f), eye.Y + 0.7f, eye.Radius, eye.Radius, Tint.Hex(0xD6D2CC));
        }
    }

    /// <inheritdoc/>
    protected override SKColor ColourOf(FigurePart part) => part.Role switch
    {
        PartRole.Dark or PartRole.Tongue or PartRole.Inner or PartRole.Lamp => Tint.Hex(part.LineWidth > 0 ? 0x87838Au : 0xAFABACu),
        PartRole.Pane => Tint.Hex(0xB9B5B6),
        PartRole.Mark => Tint.Mix(Marble, part.Own, 0.12f),
        _ => part.Tone < 0 ? Tint.Darker(Marble, -part.Tone) : Tint.Lighter(Marble, part.Tone),
    };

    /// <inheritdoc/>
    protected override void Shade(Painter p, FigurePart part)
    {
        var box = part.Path.Bounds;
        p.Round(
            part.Path,
            box.MidX + (Light.Side * box.Width * 0.34f),
            box.Top + (box.Height * 0.2f),
            MathF.Max(box.Width, box.Height),
            [Tint.Fade(SKColors.White, 0.75f), Tint.Fade(SKColors.White, 0.05f), Tint.Fade(Tint.Hex(0x4C4A58), 0.22f),
                Tint.Fade(Tint.Hex(0x4C4A58), 0.62f)],
            [0, 0.35f, 0.62f, 1]);
    }
}
