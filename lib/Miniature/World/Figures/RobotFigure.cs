using Dreambooth.Lab.Miniature.World.Painting;

namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>Builds a toy robot, seen from the front.</summary>
internal static class RobotFigure
{
    /// <summary>The figure of a robot.</summary>
    public static Figure Build(FigureRequest request, SeededRandom random)
    {
        var figure = new Figure();
        var sitting = request.Pose != SubjectPose.Standing;
        var hip = sitting ? -10f : -26f;
        var wave = random.Chance(0.5) ? -24f : 14f;
        AddLegs(figure, sitting, hip);
        AddArm(figure, -1, hip - 26, 14);
        AddArm(figure, 1, hip - 26, wave);
        figure.NewGroup();
        figure.Add(Outline.Box(-5, hip - 38, 5, hip - 30), PartRole.Metal, FigureLayer.Body, -0.2f);
        figure.NewGroup();
        figure.Add(Outline.Box(-19, hip - 34, 19, hip, 6), PartRole.Coat, FigureLayer.Body);
        figure.Add(Outline.Box(-11, hip - 26, 11, hip - 10, 3), PartRole.Metal, FigureLayer.Body, 0.25f, flat: true);
        figure.Add(Outline.Ellipse(-5, hip - 20, 2.6f, 2.6f), PartRole.Lamp, FigureLayer.Body, 0, flat: true);
        figure.Add(Outline.Ellipse(4, hip - 20, 2.2f, 2.2f), PartRole.Tongue, FigureLayer.Body, 0, flat: true);
        figure.AddLine(Outline.Curve(-7, hip - 14, 7, hip - 14), PartRole.Dark, FigureLayer.Body, 1.4f);
        AddHead(figure, request, hip - 53);
        figure.Neck = new Anchor(0, hip - 34, 13);
        figure.Shoulders = new Anchor(0, hip - 26, 16);
        figure.Bones.Add(new Bone(0, hip - 34, 0, hip - 4, 3));
        figure.Bones.Add(new Bone(-17, hip - 27, 17, hip - 27, 3));
        figure.Bones.Add(new Bone(-10, hip - 4, 10, hip - 4, 3));
        figure.Masses.Add(new Anchor(0, hip - 16, 7));
        return figure;
    }

    private static void AddLegs(Figure figure, bool sitting, float hip)
    {
        foreach (var side in (ReadOnlySpan<float>)[-1, 1])
        {
            figure.NewGroup();
            if (sitting)
            {
                figure.Add(
                    Outline.Tube([side * 9, -8, side * 17, -6, side * 22, -6], [5.5f, 5.5f, 5.5f]), PartRole.Metal, FigureLayer.Body);
                figure.NewGroup();
                figure.Add(Outline.Ellipse(side * 25, -8, 7.5f, 8.5f), PartRole.Coat, FigureLayer.Body, -0.08f);
                figure.Add(Outline.Ellipse(side * 25, -8, 4, 4.6f), PartRole.Dark, FigureLayer.Body, 0.4f, flat: true);
                figure.Bones.Add(new Bone(side * 9, -6, side * 24, -6, 2.6f));
            }
            else
            {
                figure.Add(Outline.Box((side * 9.5f) - 4.5f, hip - 3, (side * 9.5f) + 4.5f, -5), PartRole.Metal, FigureLayer.Body);
                figure.NewGroup();
                figure.Add(
                    Outline.Blob(
                        (side * 10) - 8.5f, 0, (side * 10) - 8.5f, -6, side * 10, -11, (side * 10) + 8.5f, -6, (side * 10) + 8.5f, 0),
                        PartRole.Coat, FigureLayer.Body, -0.08f);
                figure.Bones.Add(new Bone(side * 9.5f, hip, side * 9.5f, -4, 2.6f));
            }
        }
    }

    private static void AddArm(Figure figure, float side, float y, float drop)
    {
        figure.NewGroup();
        figure.Add(
            Outline.Tube([side * 17, y, side * 27, y + (drop * 0.3f), side * 31, y + drop], [4, 3.8f, 3.8f]), PartRole.Metal,
            FigureLayer.Back);
        figure.NewGroup();
        figure.Add(Outline.Ellipse(side * 32, y + (drop * 1.15f), 6, 6), PartRole.Coat, FigureLayer.Back, -0.05f);
        figure.Bones.Add(new Bone(side * 17, y, side * 27, y + (drop * 0.3f), 2.4f));
        figure.Bones.Add(new Bone(side * 27, y + (drop * 0.3f), side * 32, y + drop, 2.4f));
    }

    private static void AddHead(Figure figure, FigureRequest request, float y)
    {
        figure.NewGroup();
        if (request.EnormousEars)
        {
            foreach (var side in (ReadOnlySpan<float>)[-1, 1])
            {
                figure.Add(
                    Outline.Tube([side * 11, y - 10, side * 13, y - 36, side * 21, y - 60], [5.5f, 8.5f, 3.5f]), PartRole.Coat,
                    FigureLayer.Head);
                figure.Add(
                    Outline.Tube([side * 11.5f, y - 18, side * 13, y - 36, side * 19, y - 53], [2.5f, 4.4f, 2]), PartRole.Inner,
                    FigureLayer.Head, 0, flat: true);
            }
        }
        else
        {
            figure.Add(Outline.Limb(0, y - 17, 1.6f, 0, y - 27, 1.6f), PartRole.Metal, FigureLayer.Head);
            figure.Add(Outline.Ellipse(0, y - 29, 4, 4), PartRole.Lamp, FigureLayer.Head);
        }

        foreach (var side in (ReadOnlySpan<float>)[-1, 1])
            figure.Add(Outline.Box((side * 23) - 4, y - 6, (side * 23) + 4, y + 7, 2.5f), PartRole.Metal, FigureLayer.Head);
        figure.NewGroup();
        figure.Add(Outline.Box(-22.5f, y - 18, 22.5f, y + 17, 8), PartRole.Coat, FigureLayer.Head);
        figure.Add(Outline.Box(-16.5f, y - 11, 16.5f, y + 11, 6), PartRole.Pane, FigureLayer.Head, -0.7f, flat: true);
        figure.AddLine(Outline.Curve(-6, y + 5, 0, y + 7.5f, 6, y + 5), PartRole.Lamp, FigureLayer.Head, 1.8f);
        figure.Eyes.Add(new Eye(-7.5f, y - 2, 4.3f, Tint.Hex(0x5BE7E0), false));
        figure.Eyes.Add(new Eye(7.5f, y - 2, 4.3f, Tint.Hex(0x5BE7E0), false));
        figure.Crown = new Anchor(0, y - 16, 15);
        figure.Masses.Add(new Anchor(0, y, 12));
    }
}
