using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// Draws that depend on the seed and the number of the micro-batch alone. They are made on the CPU, so that a seed gives
/// the same run on every device, and a resumed run draws what an uninterrupted one would have.
/// </summary>
public sealed class SeededDraws : ITrainingDraws
{
    private readonly ulong _seed;
    private readonly TimestepDensity _density;
    private readonly int _timesteps;

    /// <summary>Creates the source.</summary>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="density">How timesteps are spread.</param>
    /// <param name="timesteps">Length of the training table.</param>
    public SeededDraws(ulong seed, TimestepDensity density, int timesteps)
    {
        ArgumentNullException.ThrowIfNull(density);
        density.Validate();
        (_seed, _density, _timesteps) = (seed, density, timesteps);
    }

    /// <summary>A well-spread seed for one stream of draws (SplitMix64, Steele et al. 2014).</summary>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="stream">Which stream: a micro-batch, an epoch.</param>
    public static ulong Mix(ulong seed, ulong stream)
    {
        unchecked
        {
            var z = seed + ((stream + 1) * 0x9E3779B97F4A7C15);
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }

    /// <inheritdoc/>
    public TrainingDraw Draw(long microBatch, long[] latentShape)
    {
        ArgumentNullException.ThrowIfNull(latentShape);
        using var generator = new Generator(Mix(_seed, (ulong)microBatch), CPU);
        using var u = _density.Sample(latentShape[0], generator);
        return new TrainingDraw(SeededNoise.Normal(latentShape, generator), TimestepDensity.Indices(u, _timesteps));
    }
}
