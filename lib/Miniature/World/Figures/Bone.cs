namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>One bone (or rod of a thing) that an x-ray shows: a line with knobs.</summary>
/// <param name="X0">Start.</param>
/// <param name="Y0">Start, downwards.</param>
/// <param name="X1">End.</param>
/// <param name="Y1">End, downwards.</param>
/// <param name="Width">Its width.</param>
internal readonly record struct Bone(float X0, float Y0, float X1, float Y1, float Width);
