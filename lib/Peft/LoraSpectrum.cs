using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// The singular value decomposition of one layer's change, in Float64, from its factors: of the matrices' QR decompositions only the core
/// of the inner size is decomposed. What is kept of the largest values is the nearest change of that rank (Eckart and Young 1936).
/// </summary>
/// <param name="U"><c>[out, K]</c>, columns orthonormal.</param>
/// <param name="Values">The singular values, the largest first, <c>[K]</c>.</param>
/// <param name="V"><c>[K, in]</c>, rows orthonormal.</param>
internal sealed record LoraSpectrum(Tensor U, Tensor Values, Tensor V)
{
    private const double LeastPart = 1e-24;

    private double[]? _tails;

    // The sum of the values' squares, from each value on.
    private double[] Tails => _tails ??= [.. Values.mul(Values).flip(0).cumsum(0).flip(0).data<double>()];

    /// <summary>Decomposes what a layer's tensors make, without its factor.</summary>
    /// <param name="layer">The update.</param>
    public static LoraSpectrum Of(LoraContent layer) => layer.Variant == LoraVariant.Lokr
        ? Kronecker(Of(LoraFactors.Factor(layer, "lokr_w1")), Of(LoraFactors.Factor(layer, "lokr_w2")))
        : Of(LoraFactors.Of(layer));

    /// <summary>Decomposes a product.</summary>
    /// <param name="change">The product.</param>
    public static LoraSpectrum Of(LoraFactors change)
    {
        if (change.Inner >= Math.Min(change.Up.shape[0], change.Down.shape[1]))
            return Of(matmul(change.Up, change.Down));
        var (left, up) = linalg.qr(change.Up);
        var (right, down) = linalg.qr(change.Down.t());
        var core = Of(matmul(up, down.t()));
        return core with { U = matmul(left, core.U), V = matmul(core.V, right.t()) };
    }

    /// <summary>
    /// Decomposes a large matrix by the eigenvectors of its product with itself, which is faster than its own decomposition. Values below
    /// 1e-8 of the largest are lost in rounding.
    /// </summary>
    /// <param name="matrix">Float64, <c>[out, in]</c>.</param>
    public static LoraSpectrum OfGram(Tensor matrix)
    {
        if (matrix.shape[0] > matrix.shape[1])
        {
            var turned = OfGram(matrix.t());
            return new(turned.V.t(), turned.Values, turned.U.t());
        }

        var (squares, vectors) = linalg.eigh(matmul(matrix, matrix.t()));
        var values = squares.flip(0).clamp_min(KeptScalar.Of(0)).sqrt();
        var left = vectors.flip(1);
        // The floor keeps a division by zero out; what is divided by it is rounding.
        using var floor = KeptScalar.Once(Math.Max(1e-8 * values[0].item<double>(), double.Epsilon));
        return new(left, values, matmul(left.t(), matrix).div(values.clamp_min(floor).unsqueeze(1)));
    }

    /// <summary>The Frobenius norm of the whole change.</summary>
    public double Norm => Math.Sqrt(Tails[0]);

    /// <summary>The smallest rank that keeps a part of the sum of the values' squares; 1 where all are zero.</summary>
    /// <param name="energy">The part, above 0 and up to 1.</param>
    public int RankFor(double energy)
    {
        // Below the least part the values are rounding.
        var lost = Math.Max(1 - energy, LeastPart) * Tails[0];
        var rank = Array.FindIndex(Tails, tail => tail <= lost);
        return rank < 0 ? Tails.Length : Math.Max(rank, 1);
    }

    /// <summary>What a rank leaves out, as a part of the change's norm.</summary>
    /// <param name="rank">The rank.</param>
    public double ErrorAt(int rank) => rank >= Tails.Length || Tails[0] == 0 ? 0 : Math.Sqrt(Tails[rank] / Tails[0]);

    /// <summary>The nearest change of a rank; both matrices get the roots of the values.</summary>
    /// <param name="rank">The rank, at least 1.</param>
    public LoraFactors Keep(int rank)
    {
        var kept = Math.Min(rank, Values.shape[0]);
        var roots = Values.narrow(0, 0, kept).sqrt();
        return new(U.narrow(1, 0, kept).mul(roots), V.narrow(0, 0, kept).mul(roots.unsqueeze(1)));
    }

    private static LoraSpectrum Of(Tensor matrix)
    {
        var (u, values, v) = linalg.svd(matrix, fullMatrices: false);
        return new(u, values, v);
    }

    // Of a Kronecker product the singular values are all products of the factors', and so are the vectors.
    private static LoraSpectrum Kronecker(LoraSpectrum one, LoraSpectrum two)
    {
        var (values, order) = kron(one.Values, two.Values).sort(descending: true);
        var (left, right) = (kron(one.U.contiguous(), two.U.contiguous()), kron(one.V.contiguous(), two.V.contiguous()));
        return new(left.index_select(1, order), values, right.index_select(0, order));
    }
}
