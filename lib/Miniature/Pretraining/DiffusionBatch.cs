using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>What one step of the diffusion training computes with. Letters: B rows, C channels, h and w of the latents, W window.</summary>
/// <param name="Latents">Clean latents, float32, <c>[B, C, h, w]</c>.</param>
/// <param name="Noise">Standard normal, float32, <c>[B, C, h, w]</c>.</param>
/// <param name="Indices">Timesteps in the training table, int64, <c>[B]</c>.</param>
/// <param name="Ids">Token ids of the three tokenizers side by side, int64, <c>[B, 3 W]</c>.</param>
/// <param name="KeepTokens">1 for text tokens that are seen, 0 for T5's where they are dropped, <c>[B, 2 W, 1]</c>.</param>
internal sealed record DiffusionBatch(Tensor Latents, Tensor Noise, Tensor Indices, Tensor Ids, Tensor KeepTokens)
{
    /// <summary>The tensors in the order of the parameters.</summary>
    public IReadOnlyList<Tensor> Tensors => [Latents, Noise, Indices, Ids, KeepTokens];

    /// <summary>The batch of such tensors.</summary>
    /// <param name="tensors">As <see cref="Tensors"/>.</param>
    public static DiffusionBatch Of(IReadOnlyList<Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        return new(tensors[0], tensors[1], tensors[2], tensors[3], tensors[4]);
    }
}
