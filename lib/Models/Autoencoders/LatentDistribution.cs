using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Autoencoders;

/// <summary>
/// The encoder's diagonal Gaussian over latents, before shift and scale. The log variance is clamped to −30 … 20.
/// Letters: B rows, C latent channels, h and w of the latents.
/// </summary>
/// <param name="Mean">Means, <c>[B, C, h, w]</c>.</param>
/// <param name="LogVariance">Log variances, <c>[B, C, h, w]</c>.</param>
public sealed record LatentDistribution(Tensor Mean, Tensor LogVariance) : IDisposable
{
    /// <summary>Splits the encoder's output.</summary>
    /// <param name="moments">Means, then log variances, <c>[B, 2 C, h, w]</c>.</param>
    public static LatentDistribution FromMoments(Tensor moments)
    {
        ArgumentNullException.ThrowIfNull(moments);
        using var scope = NewDisposeScope();
        var halves = moments.chunk(2, dim: 1);
        return new LatentDistribution(
            halves[0].MoveToOuterDisposeScope(), halves[1].clamp(KeptScalar.Of(-30), KeptScalar.Of(20)).MoveToOuterDisposeScope());
    }

    /// <summary>Draws latents: mean + standard deviation × noise.</summary>
    /// <param name="noise">Standard normal noise, <c>[B, C, h, w]</c>.</param>
    public Tensor Sample(Tensor noise)
    {
        using var scope = NewDisposeScope();
        return Mean.add(LogVariance.mul(KeptScalar.Of(0.5)).exp() * noise, KeptScalar.One).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Mean.Dispose();
        LogVariance.Dispose();
    }
}
