namespace Dreambooth.Lab.Evaluation;

/// <summary>The attributes of painted pictures, in the order of a classifier's heads.</summary>
internal static class DrawingAttributes
{
    /// <summary>The kind of subject; always shown.</summary>
    public static DrawingAttribute Kind { get; } = Of<SubjectKind>("kind", spec => (int)spec.Kind, _ => true);

    /// <summary>The subject's colour; not shown by sketches, statues, x-rays and gold.</summary>
    public static DrawingAttribute Colour { get; } = Of<SubjectColour>("colour", spec => (int)spec.Colour, SubjectTraits.ShowsColour);

    /// <summary>The pattern of its coat; shown where the art is fine enough and the matter has one.</summary>
    public static DrawingAttribute Pattern { get; } = Of<CoatPattern>("pattern", spec => (int)spec.Pattern, SubjectTraits.ShowsPattern);

    /// <summary>Its pose; not shown by a subject in something.</summary>
    public static DrawingAttribute Pose { get; } = Of<SubjectPose>("pose", spec => (int)spec.Pose, SubjectTraits.ShowsPose);

    /// <summary>What it wears; always shown.</summary>
    public static DrawingAttribute Accessory { get; } = Of<Accessory>("accessory", spec => (int)spec.Accessory, _ => true);

    /// <summary>Where it is; always shown.</summary>
    public static DrawingAttribute Scene { get; } = Of<SceneKind>("scene", spec => (int)spec.Scene, _ => true);

    /// <summary>In which art it is painted; always shown.</summary>
    public static DrawingAttribute Rendition { get; } = Of<Rendition>("rendition", spec => (int)spec.Rendition, _ => true);

    /// <summary>What is changed in it; always shown.</summary>
    public static DrawingAttribute Property { get; } = Of<PropertyChange>("property", spec => (int)spec.Property, _ => true);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<DrawingAttribute> All { get; } = [Kind, Colour, Pattern, Pose, Accessory, Scene, Rendition, Property];

    private static DrawingAttribute Of<T>(string name, Func<WorldSpec, int> classOf, Func<WorldSpec, bool> isShown)
        where T : struct, Enum => new(name, Enum.GetNames<T>(), classOf, isShown);
}
