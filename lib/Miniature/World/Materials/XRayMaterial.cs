using Dreambooth.Lab.Miniature.World.Figures;
using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Materials;

/// <summary>An x-ray film: a faint body with bright bones.</summary>
internal sealed class XRayMaterial(Light light)
    : Material(new CoatColours(Tint.Hex(0x6FB6E8), Tint.Hex(0x6FB6E8), Tint.Hex(0x6FB6E8), Tint.Hex(0x9FD8FF)), null, light)
{
    private static readonly SKColor BoneColour = Tint.Hex(0xF2FBFF);

    /// <inheritdoc/>
    public override void PaintEyes(Painter p, Figure figure)
    {
        foreach (var bone in figure.Bones)
            PaintBone(p, bone);
        foreach (var mass in figure.Masses)
        {
            p.Ellipse(mass.X, mass.Y, mass.Width * 1.06f, mass.Width * 0.94f, Tint.Fade(BoneColour, 0.86f));
            p.Ellipse(
                mass.X, mass.Y, mass.Width * 0.4f, mass.Width * 0.34f, Tint.Fade(Tint.Hex(0x6FA8D0), figure.Eyes.Count > 0 ? 0f : 0.8f));
        }

        if (figure.Eyes.Count == 0)
            return;
        foreach (var eye in figure.Eyes)
            p.Ellipse(eye.X, eye.Y, MathF.Max(eye.Radius, 4.2f), MathF.Max(eye.Radius, 4.2f), Tint.Hex(0x0A2038));
        var (x, y) = ((figure.Eyes[0].X + figure.Eyes[1].X) / 2, figure.Eyes[0].Y);
        p.Fill(Outline.Polygon(x, y + 5, x + 2.6f, y + 9.5f, x - 2.6f, y + 9.5f), Tint.Hex(0x0A2038));
        for (var i = -2; i <= 2; i++)
            p.Line(x + (i * 3), y + 13, x + (i * 3), y + 16, Tint.Fade(Tint.Hex(0x0A2038), 0.8f), 1);
    }

    /// <inheritdoc/>
    protected override void PaintLine(Painter p, FigurePart part) => p.StrokeKept(part.Path, Tint.Fade(Tint.Hex(0x9FD8FF), 0.5f), 1.6f);

    /// <inheritdoc/>
    protected override void PaintPart(Painter p, FigurePart part)
    {
        if (part.LineWidth > 0 || part.Flat)
            return;
        p.FillKept(part.Path, Tint.Fade(Tint.Hex(0x0E2C4C), 0.72f));
        var box = part.Path.Bounds;
        p.Round(
            part.Path, box.MidX, box.MidY, MathF.Max(box.Width, box.Height) * 0.62f,
            [Tint.Fade(Tint.Hex(0x2F6FA6), 0.35f), Tint.Fade(Tint.Hex(0x4E9AD6), 0.62f)]);
    }

    private static void PaintBone(Painter p, Bone bone)
    {
        p.Line(bone.X0, bone.Y0, bone.X1, bone.Y1, Tint.Fade(BoneColour, 0.92f), bone.Width);
        if (bone.Width < 2.3f)
            return;
        var r = bone.Width * 0.85f;
        p.Ellipse(bone.X0, bone.Y0, r, r, BoneColour);
        p.Ellipse(bone.X1, bone.Y1, r, r, BoneColour);
    }
}
