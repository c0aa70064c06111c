using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// Limits the length of the gradient over all parameters together.
/// Source of the numerics: torch.nn.utils.clip_grad_norm_ of PyTorch 2.11.
/// </summary>
internal static class GradientClipping
{
    private const double Epsilon = 1e-6;

    /// <summary>Scales the gradients in place so that their norm is at most <paramref name="maxNorm"/>.</summary>
    /// <param name="gradients">All gradients, [N]; multiplied by maxNorm / (norm + 1e-6) where that is below 1.</param>
    /// <param name="maxNorm">The longest norm, above 0. <c>--max_grad_norm</c>.</param>
    /// <returns>The norm before clipping, a tensor of rank 0 on the same device; nothing waits for its value.</returns>
    public static Tensor Clip(Tensor gradients, double maxNorm)
    {
        ArgumentNullException.ThrowIfNull(gradients);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxNorm);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var norm = gradients.norm();
        gradients.mul_(
            norm.add(KeptScalar.Of(Epsilon), KeptScalar.One).reciprocal_().mul_(KeptScalar.Of(maxNorm)).clamp_(max: KeptScalar.One));
        return norm.MoveToOuterDisposeScope();
    }
}
