using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// The loss on instance pictures at fixed noise levels and with fixed noise: a step's own loss varies with the noise that it draws, this
/// one changes only with the weights.
/// </summary>
internal sealed class ValidationLoss : IDisposable
{
    /// <summary>How many pictures are used at most: the first of the folder.</summary>
    public const int MostPictures = 8;

    // Places in the training table of timesteps, 0 little noise … 1 all noise; four forward passes.
    private static readonly double[] Levels = [0.2, 0.4, 0.6, 0.8];

    private readonly FlowMatchingObjective _objective;
    private readonly DreamBoothBatches _batches;
    private readonly ulong _seed;
    private readonly int _timesteps;

    public ValidationLoss(
        DreamBoothConfig config, SD3Transformer2DModel transformer, FlowMatchEulerDiscreteSchedulerConfig scheduler,
        DreamBoothBatches batches, ulong seed)
    {
        _objective = new FlowMatchingObjective(transformer, scheduler)
        {
            WeightingScheme = config.WeightingScheme,
            PreconditionOutputs = config.PreconditionOutputs,
            ElementLoss = config.ElementLoss(),
        };
        (_batches, _seed, _timesteps) = (batches, seed, scheduler.NumTrainTimesteps);
    }

    /// <summary>The mean over pictures and noise levels.</summary>
    public double Measure()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var batches = _batches.LoadInstances(MostPictures).Select(batch => batch with { Text = batch.Text.Embeddings() }).ToList();
        var pictures = batches.Sum(batch => batch.Latents.shape[0]);
        return batches.Sum(batch => Measure(batch) * ((double)batch.Latents.shape[0] / pictures));
    }

    private double Measure(TrainingBatch batch)
    {
        var losses = Levels.Select((level, i) =>
        {
            var noise = SeededNoise.Normal(batch.Latents.shape, RunSeeds.ValidationLoss(_seed, i));
            // The table runs from much noise to little.
            var indices = full([batch.Latents.shape[0]], KeptScalar.Integer((long)((1 - level) * _timesteps)), ScalarType.Int64);
            return _objective.Compute(batch, new TrainingDraw(noise, indices)).Instance;
        });
        return stack([.. losses]).mean().item<float>();
    }

    public void Dispose() => _objective.Dispose();
}
