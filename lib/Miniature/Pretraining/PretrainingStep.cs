using Dreambooth.Lab.Native;
using Dreambooth.Lab.Native.Cuda;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>The forward and backward pass of one step: gradients of a batch's loss. On CUDA it can be captured and replayed.</summary>
internal sealed class PretrainingStep : IDisposable
{
    private readonly FlatParameters _weights;
    private readonly Func<IReadOnlyList<Tensor>, Tensor> _loss;
    private readonly RecordedWork _pass;

    /// <summary>Creates a step.</summary>
    /// <param name="recorded">Whether it is captured as a CUDA graph and replayed.</param>
    /// <param name="weights">Receives the gradients.</param>
    /// <param name="loss">The loss of a batch.</param>
    /// <param name="log">Receives a line when capturing is not possible.</param>
    public PretrainingStep(bool recorded, FlatParameters weights, Func<IReadOnlyList<Tensor>, Tensor> loss, Action<string> log)
    {
        (_weights, _loss) = (weights, loss);
        var record = recorded ? CudaGraph.RecorderOf(weights.Values.device) : null;
        if (recorded && record is null)
            log("a step can be captured on CUDA only; each operation is launched by itself");
        _pass = new RecordedWork(weights.Values.device, record)
        {
            Name = "step",
            Gradients = (weights.Gradients, weights.ZeroGradients),
            Vary = static inputs => [inputs[0], inputs[1].neg(), inputs[2].flip(0), .. inputs[3..]],
            Warn = message => log(message),
        };
    }

    /// <summary>Computes the gradients of a batch, in place of those before.</summary>
    /// <param name="batch">
    /// Three tensors or more, of the same shapes at every step; the second is noise, the third draws of the rows.
    /// </param>
    /// <returns>The loss, a tensor of rank 0 without gradients; valid until the next batch.</returns>
    public Tensor Run(IReadOnlyList<Tensor> batch)
    {
        _weights.ZeroGradients();
        return _pass.Run([.. batch], inputs => [Pass(inputs)])[0];
    }

    /// <summary>Frees the graph.</summary>
    public void Dispose() => _pass.Dispose();

    private Tensor Pass(IReadOnlyList<Tensor> batch)
    {
        var loss = _loss(batch);
        GradientNode.Backward(() => loss.backward());
        _weights.CollectGradients();
        return loss.detach();
    }
}
