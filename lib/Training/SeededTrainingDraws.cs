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
    private readonly TimestepDensity _density;
    private readonly int _timesteps;

    /// <summary>Creates the source.</summary>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="density">How timesteps are spread.</param>
    /// <param name="timesteps">Length of the training table.</param>
    public SeededTrainingDraws(ulong seed, TimestepDensity density, int timesteps)
    {
        ArgumentNullException.ThrowIfNull(density);
        density.Validate();
        (_seed, _density, _timesteps) = (seed, density, timesteps);
    }

    /// <inheritdoc/>
    public TrainingDraw Draw(long microBatch, long[] latentShape)
    {
        ArgumentNullException.ThrowIfNull(latentShape);
        using var generator = new Generator(RunSeeds.TrainingDraw(_seed, microBatch), CPU);
        using var u = _density.Sample(latentShape[0], generator);
        return new TrainingDraw(SeededNoise.Normal(latentShape, generator), TimestepDensity.Indices(u, _timesteps));
    }
}
