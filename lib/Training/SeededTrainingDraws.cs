using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// Draws that depend on the seed and the number of the micro-batch alone. They are made on the CPU, so that a seed gives
/// the same run on every device, and a resumed run draws what an uninterrupted one would have.
/// </summary>
internal sealed class SeededTrainingDraws : ITrainingDraws
{
    private readonly ulong _seed;
    private readonly TimestepSampling _sampling;
    private readonly FlowMatchEulerDiscreteSchedulerConfig _model;
    private readonly int _patchSize;

    /// <summary>Creates the source.</summary>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="sampling">How noise levels are spread.</param>
    /// <param name="model">The noise schedule.</param>
    /// <param name="patchSize">Side of a patch in latents.</param>
    public SeededTrainingDraws(ulong seed, TimestepSampling sampling, FlowMatchEulerDiscreteSchedulerConfig model, int patchSize)
    {
        ArgumentNullException.ThrowIfNull(sampling);
        sampling.Validate();
        (_seed, _sampling, _model, _patchSize) = (seed, sampling, model, patchSize);
    }

    /// <inheritdoc/>
    public TrainingDraw Draw(long microBatch, long[] latentShape)
    {
        ArgumentNullException.ThrowIfNull(latentShape);
        using var generator = new Generator(RunSeeds.TrainingDraw(_seed, microBatch), CPU);
        if (_sampling.IsOfTable)
        {
            using var u = _sampling.Density.Sample(latentShape[0], generator);
            return new TrainingDraw(
                SeededNoise.Normal(latentShape, generator), TimestepDensity.Indices(u, _model.NumTrainTimesteps));
        }

        var patches = latentShape[2] / _patchSize * (latentShape[3] / _patchSize);
        var levels = _sampling.Sample(latentShape[0], generator, _model, patches);
        return new TrainingDraw(SeededNoise.Normal(latentShape, generator), levels);
    }
}
