using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// The change of one layer's weight as a product of two matrices, in Float64: measured, compared and added without a matrix of the weight's
/// size where the product's inner size allows. Magnitudes and biases are no part of it. Letters: K inner size.
/// </summary>
/// <param name="Up"><c>[out, K]</c>.</param>
/// <param name="Down"><c>[K, in]</c>.</param>
internal sealed record LoraFactors(Tensor Up, Tensor Down)
{
    /// <summary>K: the rank of the change, or more.</summary>
    public long Inner => Down.shape[0];

    /// <summary>
    /// The change that a layer's tensors make, without its factor: of LoRA and DoRA their two matrices; LoHa of rank R is one product of
    /// inner size R² (the columns of both pairs, each with each); LoKr is the product of its factors' Kronecker products.
    /// </summary>
    /// <param name="layer">The update.</param>
    public static LoraFactors Of(LoraContent layer) => layer.Variant switch
    {
        LoraVariant.Loha => new(
            Columns(Wide(layer, "hada_w1_a"), Wide(layer, "hada_w2_a")),
            Columns(Wide(layer, "hada_w1_b").t(), Wide(layer, "hada_w2_b").t()).t()),
        LoraVariant.Lokr => Kronecker(Factor(layer, "lokr_w1"), Factor(layer, "lokr_w2")),
        _ => new(Wide(layer, LoraParts.B), Wide(layer, LoraParts.A)),
    };

    /// <summary>One of the two matrices whose Kronecker product a LoKr is, as a product itself.</summary>
    /// <param name="layer">A LoKr.</param>
    /// <param name="name"><c>lokr_w1</c> or <c>lokr_w2</c>.</param>
    public static LoraFactors Factor(LoraContent layer, string name)
    {
        if (layer[name] is not { } whole)
            return new(Wide(layer, name + "_a"), Wide(layer, name + "_b"));
        var matrix = whole.to(ScalarType.Float64);
        return matrix.shape[0] <= matrix.shape[1]
            ? new(eye(matrix.shape[0], dtype: ScalarType.Float64), matrix)
            : new(matrix, eye(matrix.shape[1], dtype: ScalarType.Float64));
    }

    /// <summary>The change times a number.</summary>
    /// <param name="factor">The number.</param>
    public LoraFactors Times(double factor)
    {
        using var scalar = KeptScalar.Once(factor);
        return this with { Up = Up.mul(scalar) };
    }

    /// <summary>The sum with another change of the same layer; its inner size is the sum of both.</summary>
    /// <param name="other">The other.</param>
    public LoraFactors Plus(LoraFactors other) => new(cat([Up, other.Up], 1), cat([Down, other.Down]));

    /// <summary>Frobenius norm of the product, of two small matrices of the inner size: ‖U D‖² is the sum of (UᵀU) ∘ (D Dᵀ).</summary>
    public double Norm() => Inner < Math.Min(Up.shape[0], Down.shape[1])
        ? Math.Sqrt(Math.Max(Dot(this), 0)) : matmul(Up, Down).norm().item<double>();

    /// <summary>Frobenius norm of the difference from another change of the same layer, as exact where both are almost equal.</summary>
    /// <param name="other">The other.</param>
    public double Distance(LoraFactors other) => Plus(other.Times(-1)).Core().norm().item<double>();

    /// <summary>The sum of the products of the elements of two changes.</summary>
    /// <param name="other">Another change of the same layer.</param>
    public double Dot(LoraFactors other) =>
        matmul(Up.t(), other.Up).mul(matmul(Down, other.Down.t())).sum().item<double>();

    // A small matrix of the same norm: U and V of QR decompositions keep it. Where K is no smaller than the sides, the product itself.
    private Tensor Core()
    {
        if (Inner >= Math.Min(Up.shape[0], Down.shape[1]))
            return matmul(Up, Down);
        var (_, up) = linalg.qr(Up);
        var (_, down) = linalg.qr(Down.t());
        return matmul(up, down.t());
    }

    private static LoraFactors Kronecker(LoraFactors one, LoraFactors two) => new(kron(one.Up, two.Up), kron(one.Down, two.Down));

    // [N, R] and [N, R] to [N, R²]: every column of the one times every column of the other, row by row.
    private static Tensor Columns(Tensor one, Tensor two) => one.unsqueeze(2).mul(two.unsqueeze(1)).reshape(one.shape[0], -1);

    private static Tensor Wide(LoraContent layer, string part) => layer[part]!.to(ScalarType.Float64);
}
