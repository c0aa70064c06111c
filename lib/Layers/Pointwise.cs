using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// The elementwise chains of the models, as leaf functions: a forward calls them by name, so that a fused version can
/// stand behind the name without touching a model. Letters: B rows of a batch, S tokens, D width.
/// </summary>
internal static class Pointwise
{
    /// <summary>Layer normalisation without learned values over the last dimension.</summary>
    /// <param name="x">Tokens, <c>[B, S, D]</c>.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <returns>Normalised tokens, <c>[B, S, D]</c>.</returns>
    public static Tensor Normalize(Tensor x, double epsilon = 1e-6) => nn.functional.layer_norm(x, [x.shape[^1]], eps: epsilon);

    /// <summary>Scales and shifts normalised tokens: <c>x (1 + scale) + shift</c>.</summary>
    /// <param name="normalized">Normalised tokens, <c>[B, S, D]</c>.</param>
    /// <param name="shift">Added to every token of a row, <c>[B, D]</c>.</param>
    /// <param name="scale">Relative scale of every token of a row, <c>[B, D]</c>.</param>
    /// <returns>Modulated tokens, <c>[B, S, D]</c>.</returns>
    public static Tensor Modulate(Tensor normalized, Tensor shift, Tensor scale)
    {
        using var factor = scale.unsqueeze(1).add(KeptScalar.One, KeptScalar.One);
        using var offset = shift.unsqueeze(1);
        return addcmul(offset, normalized, factor, KeptScalar.One);
    }

    /// <summary>Adds a gated branch to the residual stream: <c>residual + gate · branch</c>.</summary>
    /// <param name="residual">Tokens, <c>[B, S, D]</c>.</param>
    /// <param name="gate">Gate of every token of a row, <c>[B, D]</c>.</param>
    /// <param name="branch">Output of attention or feed-forward, <c>[B, S, D]</c>.</param>
    /// <returns>Tokens, <c>[B, S, D]</c>.</returns>
    public static Tensor GateAdd(Tensor residual, Tensor gate, Tensor branch)
    {
        using var wide = gate.unsqueeze(1);
        return addcmul(residual, wide, branch, KeptScalar.One);
    }

    /// <summary>CLIP's approximation of GELU: <c>x · sigmoid(1.702 x)</c> (Hendrycks and Gimpel 2016, arXiv:1606.08415).</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    public static Tensor QuickGelu(Tensor x)
    {
        using var steep = x.mul(KeptScalar.Of(1.702));
        using var gate = steep.sigmoid_();
        return x.mul(gate);
    }

    /// <summary>T5's gated GELU: <c>gelu(gate) · x</c>, GELU in its tanh form (Shazeer 2020, arXiv:2002.05202).</summary>
    /// <param name="gate">Any shape.</param>
    /// <param name="x">What is gated, of the same shape.</param>
    /// <returns>The same shape.</returns>
    public static Tensor GatedGelu(Tensor gate, Tensor x)
    {
        using var active = nn.functional.gelu(gate, TorchSharp.Modules.GELU.Approximate.tanh);
        return active.mul(x);
    }
}
