using Dreambooth.Lab.Miniature.World.Painting;

namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>Builds a duck, seen from the side with the face to the viewer's left.</summary>
internal static class DuckFigure
{
    /// <summary>The figure of a duck.</summary>
    public static Figure Build(FigureRequest request, SeededRandom random)
    {
        var figure = new Figure();
        var standing = request.Pose == SubjectPose.Standing;
        var lift = standing ? 15f : 0f;
        var neck = request.Pose == SubjectPose.Lying ? 0f : standing ? 14f : 9f;
        if (standing)
            AddFeet(figure);
        figure.NewGroup();
        var b = -lift;
        figure.Add(
            Outline.Blob(
                -29, b - 27, -18, b - 37, 0, b - 35, 20, b - 33, 34, b - 41, 46, b - 47, 45, b - 30, 38, b - 13, 22, b - 1, 0, b + 1, -20,
                b - 3, -31, b - 14), PartRole.Coat, FigureLayer.Body);
        figure.Add(
            Outline.Blob(-27, b - 14, -10, b - 8, 12, b - 8, 26, b - 6, 12, b, -8, b, -22, b - 5), PartRole.Pale, FigureLayer.Body, 0,
            flat: true);
        figure.NewGroup();
        figure.Add(
            Outline.Blob(-9, b - 27, 6, b - 31, 24, b - 28, 40, b - 29, 32, b - 15, 18, b - 9, 2, b - 11, -8, b - 18), PartRole.Coat,
            FigureLayer.Body, -0.12f);
        AddHead(figure, request, -20, b - 39 - neck, random.Range(-6, 6));
        figure.Neck = new Anchor(-20, b - 29 - (neck * 0.5f), 12.5f, 4);
        figure.Shoulders = new Anchor(6, b - 30, 12);
        figure.Bones.Add(new Bone(-20, b - 38 - neck, -18, b - 22, 3));
        figure.Bones.Add(new Bone(-18, b - 22, 8, b - 24, 3.2f));
        figure.Bones.Add(new Bone(8, b - 24, 40, b - 38, 3));
        for (var i = 0; i < 4; i++)
            figure.Bones.Add(new Bone(-14 + (i * 7), b - 23, -17 + (i * 7), b - 6, 2));
        return figure;
    }

    private static void AddFeet(Figure figure)
    {
        foreach (var (x, tone) in (ReadOnlySpan<(float, float)>)[(10, -0.25f), (-3, 0f)])
        {
            figure.NewGroup();
            figure.Add(Outline.Limb(x, -18, 2.6f, x, -3, 2.2f), PartRole.Bill, FigureLayer.Body, tone);
            figure.Add(Outline.Polygon(x + 3, -4, x + 4, 0, x - 11, 0, x - 8, -3), PartRole.Bill, FigureLayer.Body, tone);
            figure.Bones.Add(new Bone(x, -17, x, -2, 2));
        }
    }

    private static void AddHead(Figure figure, FigureRequest request, float x, float y, float tilt)
    {
        var neckFoot = y + 20;
        figure.NewGroup();
        if (request.EnormousEars)
        {
            foreach (var dx in (ReadOnlySpan<float>)[-8, 9])
            {
                figure.Add(
                    Outline.Tube([x + dx, y - 8, x + (dx * 1.3f), y - 34, x + (dx * 2.2f), y - 62], [6, 9, 4]), PartRole.Coat,
                    FigureLayer.Head);
                figure.Add(
                    Outline.Tube([x + dx, y - 16, x + (dx * 1.3f), y - 34, x + (dx * 2.0f), y - 56], [3, 4.5f, 2]), PartRole.Inner,
                    FigureLayer.Head, 0, flat: true);
            }
        }

        figure.Add(Outline.Tube([x, y + 4, x + 1, (y + neckFoot) / 2, x + 1, neckFoot], [12, 11, 13]), PartRole.Coat, FigureLayer.Body);
        figure.Add(Outline.Ellipse(x, y, 20, 18.5f, tilt), PartRole.Coat, FigureLayer.Head);
        figure.NewGroup();
        figure.Add(
            Outline.Blob(
                x - 16, y + 1, x - 8, y - 1, x - 1, y + 4, x - 3, y + 11, x - 14, y + 13, x - 27, y + 12, x - 32, y + 7, x - 27, y + 4),
                PartRole.Bill, FigureLayer.Head);
        figure.AddLine(Outline.Curve(x - 31, y + 8, x - 18, y + 7.5f, x - 5, y + 8.5f), PartRole.Dark, FigureLayer.Head, 0.9f);
        figure.Eyes.Add(new Eye(x - 11, y - 5, 4.1f, Tint.Hex(0x5A4632), false));
        figure.Eyes.Add(new Eye(x + 5, y - 5, 4.3f, Tint.Hex(0x5A4632), false));
        figure.Crown = new Anchor(x, y - 16, 13, tilt);
        figure.Masses.Add(new Anchor(x, y, 14));
    }
}
