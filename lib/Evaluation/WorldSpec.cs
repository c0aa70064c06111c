namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// Everything that determines one painted picture: the world's renderer makes the same bytes of equal specs.
/// Not every mix can be painted: see <see cref="SubjectTraits"/>.
/// </summary>
public sealed record WorldSpec
{
    /// <summary>What the picture is of.</summary>
    public required SubjectKind Kind { get; init; }

    /// <summary>The subject's main colour.</summary>
    public required SubjectColour Colour { get; init; }

    /// <summary>The pattern of its coat.</summary>
    public CoatPattern Pattern { get; init; }

    /// <summary>How it holds itself.</summary>
    public SubjectPose Pose { get; init; }

    /// <summary>To which side it turns.</summary>
    public SubjectFacing Facing { get; init; }

    /// <summary>What it wears.</summary>
    public Accessory Accessory { get; init; }

    /// <summary>Where it is.</summary>
    public required SceneKind Scene { get; init; }

    /// <summary>In which art it is painted; <see cref="Rendition.Photo"/> for none.</summary>
    public Rendition Rendition { get; init; }

    /// <summary>What is changed in it.</summary>
    public PropertyChange Property { get; init; }

    /// <summary>Determines every detail that the other members leave open: place, size, light, shapes of the scene.</summary>
    public ulong DetailSeed { get; init; }
}
