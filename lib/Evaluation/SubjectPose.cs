namespace Dreambooth.Lab.Evaluation;

/// <summary>How a subject holds itself. A teapot and a car only stand.</summary>
public enum SubjectPose
{
    /// <summary>Sitting, seen from the front.</summary>
    Sitting,

    /// <summary>Standing, an animal seen from the side.</summary>
    Standing,

    /// <summary>Lying down, seen from the side.</summary>
    Lying,
}
