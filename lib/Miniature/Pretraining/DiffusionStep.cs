using Dreambooth.Lab.Native;
using Dreambooth.Lab.Native.Cuda;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>The forward and backward pass of one step: gradients of a batch's loss. On CUDA it can be recorded and replayed.</summary>
internal sealed class DiffusionStep : IDisposable
{
    private readonly FlatParameters _weights;
    private readonly Func<DiffusionBatch, Tensor> _loss;
    private readonly RecordedWork _pass;

    /// <summary>Creates a step.</summary>
    /// <param name="recorded">Whether it is recorded as a CUDA graph and replayed.</param>
    /// <param name="weights">Receives the gradients.</param>
    /// <param name="loss">The loss of a batch.</param>
    /// <param name="log">Receives a line when recording is not possible.</param>
    public DiffusionStep(bool recorded, FlatParameters weights, Func<DiffusionBatch, Tensor> loss, Action<string> log)
    {
        (_weights, _loss) = (weights, loss);
        var record = recorded ? CudaGraph.RecorderOf(weights.Values.device) : null;
        if (recorded && record is null)
            log("diffusion: a step can be recorded on CUDA only; each operation is launched by itself");
        _pass = new RecordedWork(weights.Values.device, record)
        {
            Name = "step",
            Gradients = (weights.Gradients, weights.ZeroGradients),
            Vary = static inputs => [inputs[0], inputs[1].neg(), inputs[2].flip(0), .. inputs[3..]],
            Warn = message => log($"diffusion: {message}"),
        };
    }

    /// <summary>Computes the gradients of a batch, in place of those before.</summary>
    /// <param name="batch">The batch.</param>
    /// <returns>The loss, a tensor of rank 0 without gradients; valid until the next batch.</returns>
    public Tensor Run(DiffusionBatch batch)
    {
        _weights.ZeroGradients();
        return _pass.Run(
            [batch.Latents, batch.Noise, batch.Indices, batch.Ids, batch.KeepTokens],
            inputs => [Pass(new DiffusionBatch(inputs[0], inputs[1], inputs[2], inputs[3], inputs[4]))])[0];
    }

    /// <summary>Frees the recording.</summary>
    public void Dispose() => _pass.Dispose();

    private Tensor Pass(DiffusionBatch batch)
    {
        var loss = _loss(batch);
        GradientNode.Backward(() => loss.backward());
        _weights.CollectGradients();
        return loss.detach();
    }
}
