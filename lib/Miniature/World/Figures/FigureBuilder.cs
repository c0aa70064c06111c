namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>Builds the figure of any kind.</summary>
internal static class FigureBuilder
{
    /// <summary>The figure that a request asks for; the caller disposes it.</summary>
    /// <param name="request">What to build.</param>
    /// <param name="random">Decides small differences of proportion.</param>
    public static Figure Build(FigureRequest request, SeededRandom random) => request.Kind switch
    {
        SubjectKind.Duck => DuckFigure.Build(request, random),
        SubjectKind.Robot => RobotFigure.Build(request, random),
        SubjectKind.Teapot => TeapotFigure.Build(request, random),
        SubjectKind.Car => CarFigure.Build(request, random),
        _ => AnimalBody.Build(request, random),
    };
}
