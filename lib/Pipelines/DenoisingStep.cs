using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>The state of a generation after one denoising step.</summary>
/// <param name="Step">Steps done, from 1.</param>
/// <param name="Count">Steps in all.</param>
/// <param name="Timestep">The step's timestep, sigma × 1000.</param>
/// <param name="Sigma">The noise level that the step went to, 1 to 0.</param>
/// <param name="Latents">The latents after the step, <c>[B, C, h, w]</c>; valid during the callback only.</param>
public sealed record DenoisingStep(int Step, int Count, double Timestep, double Sigma, Tensor Latents);
