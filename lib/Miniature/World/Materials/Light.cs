using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Materials;

/// <summary>The light that falls on a subject.</summary>
/// <param name="Side">-1 when it comes from the left of the picture, 1 from the right.</param>
/// <param name="Bright">The colour of the lit side.</param>
/// <param name="Shade">The colour of the side in shadow.</param>
/// <param name="Ambient">A tint over everything; its opacity says how much.</param>
internal readonly record struct Light(float Side, SKColor Bright, SKColor Shade, SKColor Ambient);
