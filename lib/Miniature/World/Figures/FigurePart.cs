using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>One shape of a figure. The figure owns the path.</summary>
/// <param name="Path">Its outline in figure units.</param>
/// <param name="Role">What it is.</param>
/// <param name="Layer">When it is painted.</param>
/// <param name="Group">Neighbouring parts of one group share one outline.</param>
internal sealed record FigurePart(SKPath Path, PartRole Role, FigureLayer Layer, int Group)
{
    /// <summary>-1 (darker) to 1 (lighter) than its role says.</summary>
    public float Tone { get; init; }

    /// <summary>When not 0, the path is a line of this width.</summary>
    public float LineWidth { get; init; }

    /// <summary>A small detail that lies on another part: without outline or shading.</summary>
    public bool Flat { get; init; }

    /// <summary>The colour of a <see cref="PartRole.Mark"/>.</summary>
    public SKColor Own { get; init; }
}
