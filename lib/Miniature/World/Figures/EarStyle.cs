namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>The ears of an animal.</summary>
internal enum EarStyle
{
    /// <summary>Upright triangles.</summary>
    Pointed,

    /// <summary>Flaps that hang beside the face.</summary>
    Hanging,

    /// <summary>Tall and narrow.</summary>
    Tall,

    /// <summary>Large triangles with dark tips.</summary>
    Large,

    /// <summary>Small and round.</summary>
    Round,

    /// <summary>Much taller than the head: the property change.</summary>
    Enormous,
}
