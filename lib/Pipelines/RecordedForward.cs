using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Native;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// The transformer's forward of one shape and one text, recorded once and replayed with other latents and timesteps. With small pictures the
/// processor cannot launch operations as fast as the device ends them. Letters: B rows, C latent channels, h and w of the latents.
/// </summary>
/// <remarks>It keeps the memory of a forward as long as it lives. That is little where recording pays, so what libtorch caches is not given back before.</remarks>
internal sealed class RecordedForward : IDisposable
{
    private readonly Tensor _latents, _timestep, _prediction;
    private readonly IReplayable _work;

    /// <summary>Records the forward and compares it with a plain one.</summary>
    /// <param name="transformer">The model, as it will be at every replay: LoRA scales are part of the recording.</param>
    /// <param name="text">B rows; must live as long as the recording.</param>
    /// <param name="plain">What plain calls predicted for some latents of the shape; the recording must agree.</param>
    /// <param name="record">Records some work on a device after running it a few times.</param>
    /// <exception cref="Foundation.LabException">Recording is refused, or what was recorded computes something else.</exception>
    public RecordedForward(SD3Transformer2DModel transformer, PromptEmbeddings text, PlainPrediction plain, Func<Device, Action, IReplayable> record)
    {
        using var scope = NewDisposeScope();
        // Recorded with other values than those it is compared on: a recording that ignored its inputs would agree on its own.
        _latents = plain.Latents.neg().DetachFromDisposeScope();
        _timestep = full([_latents.shape[0]], 0f, ScalarType.Float32, _latents.device).DetachFromDisposeScope();
        _prediction = zeros(_latents.shape, ScalarType.Float32, _latents.device).DetachFromDisposeScope();
        IReplayable? work = null;
        try
        {
            work = _work = record(_latents.device, () =>
            {
                using var inner = NewDisposeScope();
                _prediction.copy_(transformer.forward(_latents, _timestep, text.PromptEmbeds, text.PooledPromptEmbeds));
            });
            CudaGraph.RequireAgreement(Run(plain.Latents, plain.Timestep), plain.Prediction, "a recorded prediction differs");
        }
        catch
        {
            work?.Dispose();
            FreeTensors();
            throw;
        }
    }

    /// <summary>Predicts the flow.</summary>
    /// <param name="latents">Noisy latents, <c>[B, C, h, w]</c>.</param>
    /// <param name="timestep">sigma × 1000.</param>
    /// <returns>float32, <c>[B, C, h, w]</c>, in the recording's own memory: valid until the next call.</returns>
    public Tensor Run(Tensor latents, double timestep)
    {
        _latents.copy_(latents);
        _timestep.fill_(timestep);
        _work.Launch();
        return _prediction.alias();
    }

    /// <summary>Frees the recording and its tensors.</summary>
    public void Dispose()
    {
        _work.Dispose();
        FreeTensors();
    }

    private void FreeTensors()
    {
        _latents.Dispose();
        _timestep.Dispose();
        _prediction.Dispose();
    }
}
