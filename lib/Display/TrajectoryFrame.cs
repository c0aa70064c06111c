using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Display;

/// <summary>One picture of a <see cref="TrajectoryStrip"/>.</summary>
/// <param name="Image">The latents decoded.</param>
/// <param name="Step">Steps done, from 0 (pure noise).</param>
/// <param name="Sigma">The noise level there, 1 to 0.</param>
/// <param name="Timestep">The timestep, sigma × 1000; null leaves it out.</param>
/// <param name="Note">More about it, shown on hover; empty for none.</param>
internal sealed record TrajectoryFrame(RgbImage Image, int Step, double Sigma, double? Timestep = null, string Note = "");
