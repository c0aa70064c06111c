using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>The losses of one micro-batch, as scalars with gradients.</summary>
/// <param name="Total">What is minimised: instance + prior weight × prior.</param>
/// <param name="Instance">Loss of the instance pictures.</param>
/// <param name="Prior">Loss of the class pictures, or null without prior preservation.</param>
/// <param name="Noisy">The transformer's input, <c>[B, C, h, w]</c>.</param>
/// <param name="Denoised">Its estimate of the clean latents, without gradients, <c>[B, C, h, w]</c>.</param>
public sealed record FlowMatchingLoss(Tensor Total, Tensor Instance, Tensor? Prior, Tensor Noisy, Tensor Denoised);
