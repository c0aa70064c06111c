namespace Dreambooth.Lab.Evaluation;

/// <summary>What a painted picture is of. The first five are animals that share one body plan.</summary>
public enum SubjectKind
{
    /// <summary>A cat: pointed ears, whiskers, a long tail.</summary>
    Cat,

    /// <summary>A dog: hanging ears, a big muzzle.</summary>
    Dog,

    /// <summary>A rabbit: tall ears, a round tail.</summary>
    Rabbit,

    /// <summary>A fox: a pointed face with pale cheeks, a bushy tail.</summary>
    Fox,

    /// <summary>A bear: round ears, a heavy body.</summary>
    Bear,

    /// <summary>A duck with a broad bill.</summary>
    Duck,

    /// <summary>A toy robot with a screen for a face.</summary>
    Robot,

    /// <summary>A teapot with spout, handle and lid.</summary>
    Teapot,

    /// <summary>A small car, seen from the side.</summary>
    Car,
}
