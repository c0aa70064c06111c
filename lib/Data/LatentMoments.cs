using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Data;

/// <summary>
/// The distributions from which an autoencoder's latents of some pictures are drawn, before shift and scale.
/// </summary>
/// <param name="Mean">[B, C, h, w].</param>
/// <param name="Std">Standard deviations, [B, C, h, w].</param>
internal sealed record LatentMoments(Tensor Mean, Tensor Std) : IDisposable
{
    /// <summary>Draws latents: mean + std × noise.</summary>
    /// <param name="noise">Standard normal, [B, C, h, w].</param>
    /// <returns>A new tensor, [B, C, h, w].</returns>
    public Tensor Sample(Tensor noise)
    {
        using var scope = NewDisposeScope();
        return Mean.add(Std * noise, KeptScalar.One).MoveToOuterDisposeScope();
    }

    /// <summary>Frees both tensors.</summary>
    public void Dispose()
    {
        Mean.Dispose();
        Std.Dispose();
    }
}
