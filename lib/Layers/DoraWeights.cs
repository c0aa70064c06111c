using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// A weight-decomposed update (DoRA, Liu et al. 2024, arXiv:2402.09353): direction and magnitude of the weight's rows are trained apart.
/// The layer computes <c>(m / n) (W + s B A) x + b</c>, where n are the norms of the rows of <c>W + s B A</c>. As in the paper's section
/// 4.3 and in PEFT, n is a constant in the backward pass. The scale changes n as well: half of it is not half of the change.
/// </summary>
/// <param name="adapter">The adapter's name.</param>
/// <param name="a">Down projection, <c>[rank, in]</c>.</param>
/// <param name="b">Up projection, <c>[out, rank]</c>.</param>
/// <param name="magnitude">m, one number for each row of the weight, <c>[out]</c>.</param>
/// <param name="scale">s; at 0 the update is off, and the rows are W's own.</param>
internal sealed class DoraWeights(string adapter, Tensor a, Tensor b, Tensor magnitude, double scale) : LoraWeights(adapter, a, b, scale)
{
    /// <summary>m, <c>[out]</c>.</summary>
    public Tensor Magnitude { get; } = magnitude;

    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Tensors => [A, B, Magnitude];

    internal override bool IsPlain => false;

    // With dropout, W is multiplied with what is left of the input too.
    internal override bool ReadsProduct => Dropout is not { IsOn: true };

    // Added to W x + b is s B A x + (m/n - 1) (W x + s B A x): of what has an output's size the backward pass keeps that sum alone.
    internal override Tensor AddTo(Tensor output, Tensor x, Tensor? product, AdaptedLayer layer)
    {
        var weight = layer.Original();
        var kept = Dropout?.Apply(x, this) ?? x;
        var (a, b) = In(x.dtype);
        var change = nn.functional.linear(nn.functional.linear(kept, a).mul(KeptScalar.Of(Scale)), b);
        var direct = product is null || layer.IsFused ? nn.functional.linear(kept, weight.to(x.dtype)) : product;
        var factors = Factors(weight, Scale).t().sub(KeptScalar.One).to(x.dtype);
        return output.add_(change, KeptScalar.One).addcmul_(direct.add(change, KeptScalar.One), factors, KeptScalar.One);
    }

    internal override Tensor RowFactors(Tensor weight, double scale) => Factors(weight, scale);

    /// <summary>The norms of the rows of a weight with the update, Float32, <c>[out]</c>; no gradient.</summary>
    internal Tensor Norms(Tensor weight, double scale)
    {
        using var noGradients = no_grad();
        var (a, b) = In(ScalarType.Float32);
        return addmm(weight.to(ScalarType.Float32), b, a, beta: 1, alpha: (float)scale).norm(1);
    }

    private Tensor Factors(Tensor weight, double scale) => Magnitude.to(ScalarType.Float32).div(Norms(weight, scale)).unsqueeze(1);
}
