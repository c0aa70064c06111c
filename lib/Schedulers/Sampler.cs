using static TorchSharp.torch;

namespace Dreambooth.Lab.Schedulers;

/// <summary>
/// One run of a sampler: at which timesteps the model predicts the velocity noise − data, and what becomes of the sample after each
/// prediction. Calls come in order, from 0 or a later one; what a sampler keeps of earlier predictions is freed with it.
/// </summary>
/// <param name="table">The noise levels.</param>
internal abstract class Sampler(SigmaTable table) : IDisposable
{
    /// <summary>The timestep that the model is told, σ × NumTrainTimesteps, of every call.</summary>
    public IReadOnlyList<float> Timesteps => table.Timesteps;

    /// <summary>The noise level of the sample at every call, falling, and the last one; one more than there are calls.</summary>
    public IReadOnlyList<float> Sigmas => table.Sigmas;

    /// <summary>Whether every call needs noise, the last one too.</summary>
    public virtual bool DrawsNoise => false;

    /// <summary>Moves the sample on after a prediction.</summary>
    /// <param name="modelOutput">The predicted velocity, any shape.</param>
    /// <param name="call">The call, from 0.</param>
    /// <param name="sample">The sample that the model saw, of the same shape; summed in float32.</param>
    /// <param name="noise">Standard normal values of the same shape, float32; needed where <see cref="DrawsNoise"/>.</param>
    /// <returns>The sample for the next call, in the type of <paramref name="modelOutput"/>.</returns>
    public Tensor Step(Tensor modelOutput, int call, Tensor sample, Tensor? noise = null)
    {
        ArgumentNullException.ThrowIfNull(modelOutput);
        ArgumentNullException.ThrowIfNull(sample);
        ArgumentOutOfRangeException.ThrowIfNegative(call);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(call, Timesteps.Count);
        if (DrawsNoise)
            ArgumentNullException.ThrowIfNull(noise);
        using var scope = NewDisposeScope();
        return Advance(modelOutput, call, sample.to(ScalarType.Float32), noise).to(modelOutput.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Frees what is kept of earlier predictions.</summary>
    public virtual void Dispose() => GC.SuppressFinalize(this);

    /// <summary>The step's mathematics; the sample is float32.</summary>
    protected abstract Tensor Advance(Tensor modelOutput, int call, Tensor sample, Tensor? noise);

    /// <summary>The data that a prediction amounts to: sample − σ · velocity.</summary>
    protected Tensor Data(Tensor modelOutput, int call, Tensor sample) => WeightedSum.Of((1, sample), (-Sigmas[call], modelOutput));
}
