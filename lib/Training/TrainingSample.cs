using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>Latents of a step's last micro-batch, <c>[B, C, h, w]</c> each; valid during the callback only.</summary>
/// <param name="Step">The step, from 1.</param>
/// <param name="Clean">Clean latents.</param>
/// <param name="Noisy">What the transformer saw.</param>
/// <param name="Denoised">The transformer's estimate of the clean latents.</param>
public sealed record TrainingSample(int Step, Tensor Clean, Tensor Noisy, Tensor Denoised);
