using Dreambooth.Lab.Miniature.World.Painting;

namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>Builds a teapot with its spout to the left.</summary>
internal static class TeapotFigure
{
    /// <summary>The figure of a teapot.</summary>
    public static Figure Build(FigureRequest request, SeededRandom random)
    {
        var figure = new Figure();
        var w = random.Range(29, 33);
        figure.NewGroup();
        figure.Add(
            Outline.Tube([w - 8, -46, w + 10, -50, w + 19, -38, w + 14, -22, w - 5, -15], [3.6f, 4, 4, 4, 3.6f]), PartRole.Coat,
            FigureLayer.Back, -0.08f);
        figure.NewGroup();
        figure.Add(Outline.Tube([-w + 8, -18, -w - 8, -26, -w - 13, -42, -w - 22, -52], [9, 7, 4.5f, 4]), PartRole.Coat, FigureLayer.Back);
        figure.Add(Outline.Ellipse(-w - 23.5f, -53.5f, 4.6f, 2.2f, -42), PartRole.Dark, FigureLayer.Back, 0.1f, flat: true);
        if (request.EnormousEars)
            AddEars(figure);
        figure.NewGroup();
        figure.Add(
            Outline.Blob(
                -20, -1, -w + 2, -14, -w, -32, -w + 9, -49, -14, -56, 0, -57, 14, -56, w - 9, -49, w, -32, w - 2, -14, 20, -1, 0, 1),
                PartRole.Coat, FigureLayer.Body);
        figure.Add(Outline.Box(-19, -4, 19, 0, 2), PartRole.Coat, FigureLayer.Body, -0.25f);
        figure.NewGroup();
        figure.Add(Outline.Blob(-20, -54, -15, -62, 0, -66, 15, -62, 20, -54, 0, -51), PartRole.Coat, FigureLayer.Head, 0.08f);
        figure.NewGroup();
        figure.Add(Outline.Ellipse(0, -69, 5.6f, 5.2f), PartRole.Metal, FigureLayer.Head, 0.1f);
        figure.Crown = new Anchor(0, -63, 14);
        figure.Shoulders = new Anchor(0, -36, 20);
        figure.Bones.Add(new Bone(-w + 6, -20, -w - 12, -40, 2.4f));
        figure.Bones.Add(new Bone(-w - 12, -40, -w - 21, -51, 2.4f));
        figure.Bones.Add(new Bone(w, -47, w + 17, -38, 2.4f));
        figure.Bones.Add(new Bone(w + 17, -38, w - 2, -17, 2.4f));
        figure.Bones.Add(new Bone(-22, -44, 22, -44, 2.4f));
        figure.Bones.Add(new Bone(-18, -54, 18, -54, 2.4f));
        figure.Masses.Add(new Anchor(0, -24, 13));
        figure.Masses.Add(new Anchor(0, -69, 4));
        return figure;
    }

    private static void AddEars(Figure figure)
    {
        figure.NewGroup();
        foreach (var side in (ReadOnlySpan<float>)[-1, 1])
        {
            figure.Add(Outline.Tube([side * 17, -50, side * 20, -76, side * 29, -98], [6, 9, 4]), PartRole.Coat, FigureLayer.Back);
            figure.Add(
                Outline.Tube([side * 17.5f, -56, side * 20, -76, side * 27, -92], [3, 4.8f, 2]), PartRole.Inner, FigureLayer.Back, 0,
                flat: true);
        }
    }
}
