using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>One eye, in figure units.</summary>
/// <param name="X">Its centre.</param>
/// <param name="Y">Its centre, downwards.</param>
/// <param name="Radius">Half its height.</param>
/// <param name="Iris">The colour of the iris.</param>
/// <param name="Slit">Whether the pupil is a slit as a cat's.</param>
internal readonly record struct Eye(float X, float Y, float Radius, SKColor Iris, bool Slit);
