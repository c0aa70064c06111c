using Dreambooth.Lab.Layers.Fused;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// What a transformer block does to its streams between attention and feed-forward: gated additions, layer normalisation, modulation. On
/// CUDA each function is one pass over memory, forward and backward; elsewhere it is the chain of <see cref="Pointwise"/>. Letters: B rows,
/// S tokens, D width.
/// </summary>
internal static class AdaptiveNorm
{
    /// <summary>Added to the variance.</summary>
    internal const double Epsilon = 1e-6;

    /// <summary>Normalises tokens and modulates them: <c>norm(x) (1 + scale) + shift</c>, for each pair of shift and scale.</summary>
    /// <param name="x">Tokens, <c>[B, S, D]</c>.</param>
    /// <param name="modulations">One or two pairs, each tensor <c>[B, D]</c>.</param>
    /// <returns>As many tensors <c>[B, S, D]</c>.</returns>
    public static Tensor[] Modulate(Tensor x, params (Tensor Shift, Tensor Scale)[] modulations)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(modulations);
        if (Fused(x, null, null, modulations) is { } outputs)
            return outputs;
        using var normalized = Pointwise.Normalize(x, Epsilon);
        return Array.ConvertAll(modulations, pair => Pointwise.Modulate(normalized, pair.Shift, pair.Scale));
    }

    /// <summary>Adds a gated branch to the residual stream: <c>residual + gate · branch</c>.</summary>
    /// <param name="residual">Tokens, <c>[B, S, D]</c>.</param>
    /// <param name="gate">Gate of every token of a row, <c>[B, D]</c>.</param>
    /// <param name="branch">Output of attention or feed-forward, <c>[B, S, D]</c>.</param>
    /// <returns>Tokens, <c>[B, S, D]</c>.</returns>
    public static Tensor GateAdd(Tensor residual, Tensor gate, Tensor branch) =>
        Fused(residual, gate, branch, [])?[0] ?? Pointwise.GateAdd(residual, gate, branch);

    /// <summary>Adds a gated branch, then normalises and modulates the sum.</summary>
    /// <param name="residual">Tokens, <c>[B, S, D]</c>.</param>
    /// <param name="gate">Gate of every token of a row, <c>[B, D]</c>.</param>
    /// <param name="branch">Output of attention, <c>[B, S, D]</c>.</param>
    /// <param name="shift">Added to every token of a row, <c>[B, D]</c>.</param>
    /// <param name="scale">Relative scale of every token of a row, <c>[B, D]</c>.</param>
    /// <returns>The sum and what the feed-forward reads, both <c>[B, S, D]</c>.</returns>
    public static (Tensor Sum, Tensor Modulated) GateAddModulate(Tensor residual, Tensor gate, Tensor branch, Tensor shift, Tensor scale)
    {
        if (Fused(residual, gate, branch, [(shift, scale)]) is [var both, var modulated])
            return (both, modulated);
        var sum = Pointwise.GateAdd(residual, gate, branch);
        return (sum, Modulate(sum, (shift, scale))[0]);
    }

    // The sum, where there is a branch, then the modulated tensors; null where there is no kernel for them.
    private static Tensor[]? Fused(Tensor residual, Tensor? gate, Tensor? branch, (Tensor Shift, Tensor Scale)[] modulations) =>
        residual.device_type == TorchSharp.DeviceType.CUDA ? FusedAdaptiveNorm.Find(residual, gate, branch, modulations)?.Run() : null;
}
