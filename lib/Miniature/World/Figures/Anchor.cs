namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>Where something is worn, in figure units.</summary>
/// <param name="X">The centre.</param>
/// <param name="Y">The centre, downwards.</param>
/// <param name="Width">Half the width of what carries it.</param>
/// <param name="Degrees">How it leans.</param>
internal readonly record struct Anchor(float X, float Y, float Width, float Degrees = 0);
