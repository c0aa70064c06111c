using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Pipelines;

/// <summary>A moment of a denoising run, decoded.</summary>
/// <param name="Step">Denoising steps done: 0 for the pure noise.</param>
/// <param name="Sigma">The noise level there, 1 to 0.</param>
/// <param name="Noisy">The latents as they are: (1 − σ) of a picture and σ of noise.</param>
/// <param name="Estimate">
/// What the model takes the finished picture for at this moment: the latents moved along the predicted flow in one go.
/// </param>
public sealed record DenoisingMoment(int Step, double Sigma, RgbImage Noisy, RgbImage Estimate);
