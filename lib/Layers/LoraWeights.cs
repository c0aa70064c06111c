using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// One adapter's low-rank update of one linear layer (Hu et al. 2021, arXiv:2106.09685): the layer computes
/// <c>W x + b + Scale · B (A x)</c>, or <c>… + Scale · (B (A x) + bias)</c> where the update has a bias of its own (PEFT's lora_bias).
/// </summary>
public class LoraWeights : LinearUpdate
{
    /// <summary>Creates the update.</summary>
    /// <param name="adapter">The adapter's name.</param>
    /// <param name="a">Down projection <c>A</c>, <c>[rank, in]</c>.</param>
    /// <param name="b">Up projection <c>B</c>, <c>[out, rank]</c>.</param>
    /// <param name="scale">Factor of the update: alpha / rank times the adapter's weight.</param>
    /// <param name="bias">The update's own bias, <c>[out]</c>; null for none.</param>
    public LoraWeights(string adapter, Tensor a, Tensor b, double scale, Tensor? bias = null)
        : base(adapter, scale)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.dim() != 2 || b.dim() != 2 || a.shape[0] != b.shape[1])
            throw new ArgumentException(
                $"A LoRA update with A [{string.Join(", ", a.shape)}] and B [{string.Join(", ", b.shape)}] has no common rank.", nameof(a));
        (A, B, Bias) = (a, b, bias);
    }

    /// <summary>Down projection, <c>[rank, in]</c>.</summary>
    public Tensor A { get; }

    /// <summary>Up projection, <c>[out, rank]</c>.</summary>
    public Tensor B { get; }

    /// <summary>The update's own bias, <c>[out]</c>; null for none.</summary>
    public Tensor? Bias { get; }

    /// <summary>The same matrices in the element type that the models compute in, kept by the adapter; null where there are none.</summary>
    public (Tensor A, Tensor B)? Copy { get; set; }

    /// <inheritdoc/>
    public override int Rank => (int)A.shape[0];

    /// <inheritdoc/>
    public override (long Out, long In) Shape => (B.shape[0], A.shape[1]);

    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Tensors => Bias is null ? [A, B] : [A, B, Bias];

    /// <summary>Whether the update is <c>B (A x)</c> and no more.</summary>
    internal virtual bool IsPlain => Bias is null && Dropout is null;

    /// <summary>The matrices in an element type, converted in the current dispose scope where needed.</summary>
    /// <param name="dtype">The element type.</param>
    public (Tensor A, Tensor B) In(ScalarType dtype)
    {
        if (A.dtype == dtype)
            return (A, B);
        return Copy is { } copy && copy.A.dtype == dtype ? copy : (A.to(dtype), B.to(dtype));
    }

    internal override Tensor AddTo(Tensor output, Tensor x, Tensor? product, AdaptedLayer layer)
    {
        var (a, b) = In(x.dtype);
        // output + s · (A x) Bᵀ, into the output's own memory.
        output.addmm_(nn.functional.linear(Dropout?.Apply(x, this) ?? x, a), b.t(), beta: 1, alpha: (float)Scale);
        return Bias is null ? output : output.add_(Bias.to(x.dtype).mul(KeptScalar.Of(Scale)), KeptScalar.One);
    }

    internal override Tensor Change() => matmul(B.to(ScalarType.Float32), A.to(ScalarType.Float32));

    internal override Tensor? ChangeOfBias() => Bias?.to(ScalarType.Float32);
}
