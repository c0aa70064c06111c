namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>The tail of an animal.</summary>
internal enum TailStyle
{
    /// <summary>Long and thin.</summary>
    Long,

    /// <summary>Short, curled up.</summary>
    Curled,

    /// <summary>A ball of fur.</summary>
    Puff,

    /// <summary>Thick, with a pale tip.</summary>
    Bushy,

    /// <summary>A stub.</summary>
    Stub,
}
