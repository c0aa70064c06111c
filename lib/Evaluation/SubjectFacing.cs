namespace Dreambooth.Lab.Evaluation;

/// <summary>To which side of the picture a subject turns.</summary>
public enum SubjectFacing
{
    /// <summary>Towards the left edge of the picture.</summary>
    Left,

    /// <summary>Towards the right edge of the picture.</summary>
    Right,
}
