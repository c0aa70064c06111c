using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Pipelines;

/// <summary>A picture with noise mixed into its latents.</summary>
/// <param name="Sigma">The noise level, 0 (none) to 1 (noise alone).</param>
/// <param name="Picture">The mixture, decoded.</param>
public sealed record NoisyPicture(double Sigma, RgbImage Picture);
