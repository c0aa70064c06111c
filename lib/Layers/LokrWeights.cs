using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// An update by a Kronecker product (LoKr, LyCORIS; Edalati et al. 2022, arXiv:2212.10650): <c>s · W1 ⊗ W2</c>, either factor whole or a
/// product of two of rank R.
/// </summary>
/// <param name="adapter">The adapter's name.</param>
/// <param name="w1">The first factor: one matrix, or two whose product it is.</param>
/// <param name="w2">The second factor, likewise.</param>
/// <param name="rank">R, as the adapter's settings have it; a factor that is whole does not tell it.</param>
/// <param name="scale">s.</param>
internal sealed class LokrWeights(string adapter, IReadOnlyList<Tensor> w1, IReadOnlyList<Tensor> w2, int rank, double scale)
    : LinearUpdate(adapter, scale)
{
    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Tensors { get; } = [.. w1, .. w2];

    /// <inheritdoc/>
    public override int Rank => rank;

    /// <inheritdoc/>
    public override (long Out, long In) Shape =>
        (w1[0].shape[0] * w2[0].shape[0], w1[^1].shape[1] * w2[^1].shape[1]);

    internal override Tensor Change() => kron(Factor(w1), Factor(w2));

    private static Tensor Factor(IReadOnlyList<Tensor> matrices) => matrices.Count == 1
        ? matrices[0].to(ScalarType.Float32)
        : matmul(matrices[0].to(ScalarType.Float32), matrices[1].to(ScalarType.Float32));
}
