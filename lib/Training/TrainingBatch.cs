using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// One micro-batch. With prior preservation the first half of the rows is the instance's and the second half the class's.
/// </summary>
/// <param name="Latents">Clean latents as the transformer sees them, float32, <c>[B, C, h, w]</c>.</param>
/// <param name="Text">Their prompts, B rows or one for all.</param>
public sealed record TrainingBatch(Tensor Latents, TrainingText Text)
{
    /// <summary>What the losses of the instance rows are multiplied with, float32, one each; null for 1.</summary>
    internal Tensor? Weights { get; init; }

    /// <summary>
    /// Prompts for which the model without the LoRA is the teacher, each once for every instance row, prompt by prompt; null for none.
    /// </summary>
    internal TrainingText? Preserved { get; init; }

    /// <summary>What the loss of each latent pixel is multiplied with, float32, <c>[B, 1, h, w]</c>; null for 1.</summary>
    internal Tensor? Mask { get; init; }

    /// <summary>
    /// What counts of each latent pixel of the instance rows in the loss that holds what the mask leaves out, float32,
    /// <c>[b, 1, h, w]</c>; null for none.
    /// </summary>
    internal Tensor? Outside { get; init; }
}
