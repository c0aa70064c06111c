namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>The order in which parts are painted; what is worn goes between.</summary>
internal enum FigureLayer
{
    /// <summary>Behind everything, such as a tail or wings.</summary>
    Back,

    /// <summary>The body; a scarf or collar follows it.</summary>
    Body,

    /// <summary>The head; eyes, then glasses and hats follow it.</summary>
    Head,
}
