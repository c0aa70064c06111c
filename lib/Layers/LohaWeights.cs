using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// An update by the elementwise product of two low-rank matrices (LoHa, LyCORIS; FedPara, Hyeon-Woo et al. 2021, arXiv:2108.06098):
/// <c>s · (W1a W1b) ∘ (W2a W2b)</c>, whose rank may be the square of its parts'. Letters: R rank.
/// </summary>
/// <param name="adapter">The adapter's name.</param>
/// <param name="w1A"><c>[out, R]</c>.</param>
/// <param name="w1B"><c>[R, in]</c>.</param>
/// <param name="w2A"><c>[out, R]</c>.</param>
/// <param name="w2B"><c>[R, in]</c>.</param>
/// <param name="scale">s.</param>
internal sealed class LohaWeights(string adapter, Tensor w1A, Tensor w1B, Tensor w2A, Tensor w2B, double scale)
    : LinearUpdate(adapter, scale)
{
    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Tensors { get; } = [w1A, w1B, w2A, w2B];

    /// <inheritdoc/>
    public override int Rank => (int)w1B.shape[0];

    /// <inheritdoc/>
    public override (long Out, long In) Shape => (w1A.shape[0], w1B.shape[1]);

    internal override Tensor Change() =>
        matmul(w1A.to(ScalarType.Float32), w1B.to(ScalarType.Float32)).mul(
            matmul(w2A.to(ScalarType.Float32), w2B.to(ScalarType.Float32)));
}
