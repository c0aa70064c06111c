using Dreambooth.Lab.Miniature.World.Painting;

namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>Builds a small round car that drives to the left.</summary>
internal static class CarFigure
{
    /// <summary>The figure of a car.</summary>
    public static Figure Build(FigureRequest request, SeededRandom random)
    {
        var figure = new Figure();
        var roof = random.Range(-60, -55);
        if (request.EnormousEars)
            AddEars(figure, roof);
        figure.NewGroup();
        figure.Add(
            Outline.Blob(
                -52, -14, -53, -24, -46, -31, -30, -35, -20, -50, -6, roof, 14, roof, 30, -52, 40, -36, 51, -31, 54, -20, 52, -11, 0, -9,
                -46, -9), PartRole.Coat, FigureLayer.Body);
        figure.Add(
            Outline.Blob(-24, -36, -16, -48, -5, roof + 6, 1, roof + 5.6f, 1, -36), PartRole.Pane, FigureLayer.Body, 0.1f, flat: true);
        figure.Add(Outline.Blob(6, -36, 6, roof + 5.6f, 14, roof + 6, 26, -48, 33, -36), PartRole.Pane, FigureLayer.Body, 0, flat: true);
        figure.AddLine(Outline.Curve(3.5f, -35, 4.5f, -22, 2, -12), PartRole.Dark, FigureLayer.Body, 0.9f);
        figure.AddLine(Outline.Curve(8, -30, 14, -30), PartRole.Dark, FigureLayer.Body, 1.6f);
        figure.Add(Outline.Box(-55, -15, 55, -9, 3), PartRole.Metal, FigureLayer.Body, 0.15f);
        figure.Add(Outline.Ellipse(-49, -24, 4.4f, 5), PartRole.Lamp, FigureLayer.Body);
        figure.Add(Outline.Box(48, -28, 53, -20, 2), PartRole.Tongue, FigureLayer.Body, 0, flat: true);
        foreach (var x in (ReadOnlySpan<float>)[-29, 30])
        {
            figure.NewGroup();
            figure.Add(Outline.Ellipse(x, -11.5f, 12, 12), PartRole.Dark, FigureLayer.Body);
            figure.Add(Outline.Ellipse(x, -11.5f, 6.5f, 6.5f), PartRole.Metal, FigureLayer.Body, 0.3f, flat: true);
            figure.Add(Outline.Ellipse(x, -11.5f, 2.4f, 2.4f), PartRole.Dark, FigureLayer.Body, 0.3f, flat: true);
            figure.Masses.Add(new Anchor(x, -11.5f, 7));
        }

        figure.Crown = new Anchor(4, roof + 2, 14);
        figure.Shoulders = new Anchor(6, -34, 26);
        figure.Bones.Add(new Bone(-46, -16, 46, -16, 3));
        figure.Bones.Add(new Bone(-28, -34, -6, roof + 4, 2.4f));
        figure.Bones.Add(new Bone(-6, roof + 4, 14, roof + 4, 2.4f));
        figure.Bones.Add(new Bone(14, roof + 4, 36, -34, 2.4f));
        figure.Bones.Add(new Bone(-28, -34, 40, -34, 2.4f));
        figure.Masses.Add(new Anchor(-40, -25, 6));
        return figure;
    }

    private static void AddEars(Figure figure, float roof)
    {
        figure.NewGroup();
        foreach (var side in (ReadOnlySpan<float>)[-1, 1])
        {
            figure.Add(
                Outline.Tube([4 + (side * 11), roof + 6, 4 + (side * 14), roof - 18, 4 + (side * 23), roof - 40], [6, 8.5f, 4]),
                PartRole.Coat, FigureLayer.Back);
            figure.Add(
                Outline.Tube([4 + (side * 11), roof - 2, 4 + (side * 14), roof - 18, 4 + (side * 21), roof - 34], [3, 4.6f, 2]),
                PartRole.Inner, FigureLayer.Back, 0, flat: true);
        }
    }
}
