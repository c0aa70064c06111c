using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>The forward and backward pass of one step: gradients of a batch's loss.</summary>
internal abstract class DiffusionStep : IDisposable
{
    /// <summary>The loss of the last batch, a tensor of rank 0 without gradients; valid until the next one.</summary>
    public abstract Tensor Loss { get; }

    /// <summary>Creates a step.</summary>
    /// <param name="captured">Whether it is captured as a CUDA graph and replayed.</param>
    /// <param name="weights">Receives the gradients.</param>
    /// <param name="loss">The loss of a batch.</param>
    /// <param name="draw">Draws a batch; gives shapes and warms up.</param>
    /// <param name="log">Receives a line when capturing is not possible, and how exactly a captured step agrees.</param>
    public static DiffusionStep Create(bool captured, FlatParameters weights, Func<DiffusionBatch, Tensor> loss, Func<DiffusionBatch> draw, Action<string> log)
    {
        if (!captured)
            return new Eager(weights, loss);
        if (weights.Values.device_type != TorchSharp.DeviceType.CUDA)
        {
            log("diffusion: a step can be captured on CUDA only; each operation is launched by itself");
            return new Eager(weights, loss);
        }

        var step = new Captured(weights, loss, draw);
        var (difference, scale) = Compare(step, weights, loss, draw);
        log(FormattableString.Invariant($"diffusion: captured step against the launched one: gradients differ by {difference:0.######} of {scale:0.######} (norms)"));
        return difference <= 0.02 * scale
            ? step
            : throw new LabException("The captured step does not compute what the launched one does. Run without --cuda_graph.");
    }

    /// <summary>Computes the gradients of a batch.</summary>
    /// <param name="batch">The batch.</param>
    public abstract void Run(DiffusionBatch batch);

    /// <inheritdoc/>
    public abstract void Dispose();

    // Two batches, since a graph that ignored its inputs would agree on the one that it was captured with.
    private static (double Difference, double Scale) Compare(Captured step, FlatParameters weights, Func<DiffusionBatch, Tensor> loss, Func<DiffusionBatch> draw)
    {
        using var scope = NewDisposeScope();
        using var eager = new Eager(weights, loss);
        double difference = 0, scale = 0;
        for (var i = 0; i < 2; i++)
        {
            var batch = draw();
            eager.Run(batch);
            var expected = weights.Gradients.clone();
            step.Run(batch);
            difference += (weights.Gradients - expected).norm().item<float>();
            scale += expected.norm().item<float>();
        }

        return (difference, scale);
    }

    private static Tensor Gradients(FlatParameters weights, Func<DiffusionBatch, Tensor> compute, DiffusionBatch batch)
    {
        weights.ZeroGradients();
        var loss = compute(batch);
        GradientNode.Backward(() => loss.backward());
        weights.CollectGradients();
        return loss.detach();
    }

    private sealed class Eager(FlatParameters weights, Func<DiffusionBatch, Tensor> compute) : DiffusionStep
    {
        private Tensor? _loss;

        public override Tensor Loss => _loss ?? throw new InvalidOperationException("No step has been run.");

        public override void Run(DiffusionBatch batch)
        {
            using var scope = NewDisposeScope();
            _loss?.Dispose();
            _loss = Gradients(weights, compute, batch).DetachFromDisposeScope();
        }

        public override void Dispose() => _loss?.Dispose();
    }

    private sealed class Captured : DiffusionStep
    {
        private readonly DiffusionBatch _batch;
        private readonly Tensor _loss;
        private readonly CudaGraph _graph;

        public Captured(FlatParameters weights, Func<DiffusionBatch, Tensor> compute, Func<DiffusionBatch> draw)
        {
            using var scope = NewDisposeScope();
            _batch = draw().Detached();
            _loss = zeros([], ScalarType.Float32, weights.Values.device).DetachFromDisposeScope();
            _graph = CudaGraph.Capture(weights.Values.device, () =>
            {
                using var step = NewDisposeScope();
                _loss.copy_(Gradients(weights, compute, _batch));
            });
        }

        public override Tensor Loss => _loss;

        public override void Run(DiffusionBatch batch)
        {
            _batch.CopyFrom(batch);
            _graph.Launch();
        }

        public override void Dispose()
        {
            _graph.Dispose();
            _loss.Dispose();
            foreach (var tensor in new[] { _batch.Latents, _batch.Noise, _batch.Indices, _batch.Ids, _batch.KeepTokens })
                tensor.Dispose();
        }
    }
}
