using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Schedulers;

/// <summary>
/// The factor of a sample's loss by its noise level.
/// Source: diffusers 58eb52c, training_utils.py, compute_loss_weighting_for_sd3.
/// </summary>
public static class LossWeighting
{
    private static readonly TorchSharp.Scalar s_two = KeptScalar.Of(2);

    /// <summary>Computes the weights.</summary>
    /// <param name="scheme">The scheme; only sigma_sqrt and cosmap differ from 1.</param>
    /// <param name="sigmas">Noise levels in (0, 1], any shape.</param>
    /// <returns>Weights of the same shape, on the same device.</returns>
    public static Tensor For(WeightingScheme scheme, Tensor sigmas)
    {
        ArgumentNullException.ThrowIfNull(sigmas);
        using var scope = NewDisposeScope();
        // The order of operations is the reference's, so that float32 rounds alike.
        var weights = scheme switch
        {
            WeightingScheme.SigmaSqrt => sigmas.pow(KeptScalar.Of(-2)).to(ScalarType.Float32),
            WeightingScheme.Cosmap => sigmas.mul(s_two).neg().add(KeptScalar.One, KeptScalar.One)
                .add(sigmas.mul(sigmas).mul(s_two), KeptScalar.One).mul(KeptScalar.Of(Math.PI)).reciprocal().mul(s_two),
            _ => ones_like(sigmas),
        };
        return weights.MoveToOuterDisposeScope();
    }
}
