using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>What plain calls predicted, to compare a recording with. Letters: B rows, C latent channels, h and w of the latents.</summary>
/// <param name="Latents">Noisy latents, <c>[B, C, h, w]</c>.</param>
/// <param name="Timestep">sigma × 1000.</param>
/// <param name="Prediction">The flow, float32, <c>[B, C, h, w]</c>.</param>
internal sealed record PlainPrediction(Tensor Latents, double Timestep, Tensor Prediction) : IDisposable
{
    /// <summary>A copy of both tensors that belongs to no dispose scope.</summary>
    public static PlainPrediction Copy(Tensor latents, double timestep, Tensor prediction) =>
        new(latents.clone().DetachFromDisposeScope(), timestep, prediction.clone().DetachFromDisposeScope());

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Latents.Dispose();
        Prediction.Dispose();
    }
}
