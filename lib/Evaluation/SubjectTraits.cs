namespace Dreambooth.Lab.Evaluation;

/// <summary>Which attributes go together, and which of them a painted picture shows.</summary>
internal static class SubjectTraits
{
    /// <summary>Whether the kind is an animal with four legs.</summary>
    /// <param name="kind">Any kind.</param>
    public static bool IsFourLegged(SubjectKind kind) => kind <= SubjectKind.Bear;

    /// <summary>The poses that a kind can take.</summary>
    /// <param name="kind">Any kind.</param>
    public static IReadOnlyList<SubjectPose> Poses(SubjectKind kind) => kind switch
    {
        SubjectKind.Teapot or SubjectKind.Car => [SubjectPose.Standing],
        SubjectKind.Robot => [SubjectPose.Sitting, SubjectPose.Standing],
        SubjectKind.Duck => [SubjectPose.Sitting, SubjectPose.Standing],
        _ => [SubjectPose.Sitting, SubjectPose.Standing, SubjectPose.Lying],
    };

    /// <summary>What a kind can wear.</summary>
    /// <param name="kind">Any kind.</param>
    public static IReadOnlyList<Accessory> Accessories(SubjectKind kind) => kind switch
    {
        SubjectKind.Teapot or SubjectKind.Car => [Accessory.None, Accessory.Hat, Accessory.Crown, Accessory.PartyHat],
        _ => Enum.GetValues<Accessory>(),
    };

    /// <summary>Whether a kind can undergo a change.</summary>
    /// <param name="kind">Any kind.</param>
    /// <param name="property">Any change.</param>
    public static bool Allows(SubjectKind kind, PropertyChange property) =>
        kind != SubjectKind.Rabbit || property != PropertyChange.LongEars;

    /// <summary>Whether a scene holds the subject in something, so that its lower part is hidden.</summary>
    /// <param name="scene">Any scene.</param>
    public static bool IsContainer(SceneKind scene) => scene is SceneKind.CardboardBox or SceneKind.Suitcase;

    /// <summary>Whether a painted picture shows its subject's colour.</summary>
    /// <param name="spec">The picture.</param>
    public static bool ShowsColour(WorldSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return KeepsColour(spec.Rendition) && spec.Property is not (PropertyChange.Statue or PropertyChange.XRay or PropertyChange.Gold);
    }

    /// <summary>Whether a painted picture shows its subject's pattern so well that a classifier is asked for it.</summary>
    /// <param name="spec">The picture.</param>
    public static bool ShowsPattern(WorldSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return spec.Rendition is Rendition.Photo or Rendition.Watercolour or Rendition.PopArt && HasPattern(spec);
    }

    /// <summary>Whether what a painted subject is made of can have a pattern; arts of coarse cells show it less well.</summary>
    /// <param name="spec">The picture.</param>
    public static bool HasPattern(WorldSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return spec.Property is not (PropertyChange.Statue or PropertyChange.XRay or PropertyChange.Gold
            or PropertyChange.Origami or PropertyChange.Glass);
    }

    /// <summary>Whether a painted picture shows its subject's pose: a subject in something does not.</summary>
    /// <param name="spec">The picture.</param>
    public static bool ShowsPose(WorldSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return Poses(spec.Kind).Count > 1 && !IsContainer(spec.Scene) && spec.Property != PropertyChange.Teacup;
    }

    /// <summary>The same picture, its subject sitting where its pose is not shown.</summary>
    /// <param name="spec">The picture.</param>
    public static WorldSpec Posed(WorldSpec spec) => ShowsPose(spec) ? spec : spec with { Pose = SubjectPose.Sitting };

    /// <summary>Whether a painted picture shows to which side its subject turns: one seen from the side does.</summary>
    /// <param name="spec">The picture.</param>
    public static bool ShowsFacing(WorldSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return spec.Kind == SubjectKind.Duck || (IsFourLegged(spec.Kind) && spec.Pose != SubjectPose.Sitting);
    }

    /// <summary>Whether an art rendition keeps the subject's colour.</summary>
    /// <param name="rendition">Any rendition.</param>
    public static bool KeepsColour(Rendition rendition) => rendition is not Rendition.PencilSketch;
}
