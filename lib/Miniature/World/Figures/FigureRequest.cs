namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>What a figure is built from.</summary>
internal sealed record FigureRequest
{
    public required SubjectKind Kind { get; init; }

    public required SubjectPose Pose { get; init; }

    /// <summary>Whether it will be shown mirrored, so that one-sided marks must change sides.</summary>
    public bool Mirrored { get; init; }

    /// <summary>Whether it grows enormous ears.</summary>
    public bool EnormousEars { get; init; }

    /// <summary>The marks of one special cat, or null.</summary>
    public CharacterMarks? Marks { get; init; }
}
