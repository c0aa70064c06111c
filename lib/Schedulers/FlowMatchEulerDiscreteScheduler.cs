using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Schedulers;

/// <summary>
/// The noise schedule of rectified flow: at noise level σ a sample is (1 − σ)·data + σ·noise, and a model predicts the
/// velocity noise − data, along which Euler steps lead from σ = 1 to σ = 0. A timestep is σ × NumTrainTimesteps.
/// </summary>
/// <remarks>
/// All tables are host memory, so that a step reads nothing back from the device. They equal the reference bit for bit:
/// diffusers 58eb52c, schedulers/scheduling_flow_match_euler_discrete.py (float32 for the training table; float64 for the
/// sampling table, rounded to float32 at the end).
/// </remarks>
public sealed class FlowMatchEulerDiscreteScheduler
{
    private float[] _timesteps, _sigmas;

    /// <summary>Builds the training table; until <see cref="SetTimesteps"/> the sampling tables are the same.</summary>
    /// <param name="config">The settings.</param>
    /// <exception cref="LabException">A setting is out of range.</exception>
    public FlowMatchEulerDiscreteScheduler(FlowMatchEulerDiscreteSchedulerConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        var count = config.NumTrainTimesteps;
        float shift = (float)config.Shift, shiftMinusOne = (float)(config.Shift - 1);
        var sigmas = new float[count];
        var timesteps = new float[count];
        for (var index = 0; index < count; index++)
        {
            var sigma = (float)(count - index) / count;
            sigmas[index] = shift * sigma / (1f + (shiftMinusOne * sigma));
            timesteps[index] = sigmas[index] * count;
        }

        (TrainTimesteps, TrainSigmas) = (timesteps, sigmas);
        (_timesteps, _sigmas) = (timesteps, sigmas);
    }

    /// <summary>The settings.</summary>
    public FlowMatchEulerDiscreteSchedulerConfig Config { get; }

    /// <summary>The training timesteps, falling from NumTrainTimesteps; what a density's indices point into.</summary>
    public IReadOnlyList<float> TrainTimesteps { get; }

    /// <summary>The noise level σ of every training timestep, falling from 1.</summary>
    public IReadOnlyList<float> TrainSigmas { get; }

    /// <summary>The timesteps of the sampling steps, falling; one per step.</summary>
    public IReadOnlyList<float> Timesteps => _timesteps;

    /// <summary>
    /// The noise levels of the sampling steps, falling; after <see cref="SetTimesteps"/> one longer than the steps, with a final 0.
    /// </summary>
    public IReadOnlyList<float> Sigmas => _sigmas;

    /// <summary>Lays out the sampling steps.</summary>
    /// <param name="numInferenceSteps">Number of steps, from 1.</param>
    /// <exception cref="LabException">The number is below 1.</exception>
    public void SetTimesteps(int numInferenceSteps)
    {
        if (numInferenceSteps < 1)
            throw new LabException($"The number of inference steps is {numInferenceSteps}; it must be at least 1.");
        (_timesteps, _sigmas) = SigmaTable.Flow(new SamplerConfig(), Config, numInferenceSteps, 0);
    }

    /// <summary>One Euler step of the sampling schedule, from <c>Sigmas[stepIndex]</c> to <c>Sigmas[stepIndex + 1]</c>.</summary>
    /// <param name="modelOutput">The predicted velocity, any shape.</param>
    /// <param name="stepIndex">The step, from 0.</param>
    /// <param name="sample">The sample before the step, of the same shape; summed in float32.</param>
    /// <returns>The sample after the step, in the type of <paramref name="modelOutput"/>.</returns>
    public Tensor Step(Tensor modelOutput, int stepIndex, Tensor sample)
    {
        ArgumentNullException.ThrowIfNull(modelOutput);
        ArgumentNullException.ThrowIfNull(sample);
        ArgumentOutOfRangeException.ThrowIfNegative(stepIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(stepIndex, _sigmas.Length - 1);
        using var scope = NewDisposeScope();
        return Move(modelOutput, _sigmas[stepIndex + 1] - _sigmas[stepIndex], sample.to(ScalarType.Float32)).to(modelOutput.dtype)
            .MoveToOuterDisposeScope();
    }

    /// <summary>One Euler step whose length lies on the device, for steps that are captured once and replayed.</summary>
    /// <param name="modelOutput">The predicted velocity, any shape.</param>
    /// <param name="sigmaDelta">σ after − σ before, a float32 tensor of rank 0 on the sample's device.</param>
    /// <param name="sample">The sample before the step, of the same shape; summed in float32.</param>
    /// <returns>The sample after the step, in the type of <paramref name="modelOutput"/>.</returns>
    public static Tensor Step(Tensor modelOutput, Tensor sigmaDelta, Tensor sample)
    {
        ArgumentNullException.ThrowIfNull(modelOutput);
        ArgumentNullException.ThrowIfNull(sample);
        using var scope = NewDisposeScope();
        return sample.to(ScalarType.Float32).add(modelOutput.mul(sigmaDelta), KeptScalar.One).to(modelOutput.dtype)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Moves a float32 sample along the velocity by a change of σ.</summary>
    internal static Tensor Move(Tensor modelOutput, float sigmaDelta, Tensor sample)
    {
        using var length = KeptScalar.Once(sigmaDelta);
        using var change = modelOutput.mul(length);
        return sample.add(change, KeptScalar.One);
    }

    /// <summary>The noisy sample (1 − σ)·data + σ·noise.</summary>
    /// <param name="sample">The data, [B, ...].</param>
    /// <param name="sigmas">The noise levels, broadcastable to the sample, as [B, 1, 1, 1].</param>
    /// <param name="noise">Standard normal values in the sample's shape.</param>
    public static Tensor ScaleNoise(Tensor sample, Tensor sigmas, Tensor noise)
    {
        ArgumentNullException.ThrowIfNull(sigmas);
        using var scope = NewDisposeScope();
        return sigmas.neg().add(KeptScalar.One, KeptScalar.One).mul(sample).add(sigmas.mul(noise), KeptScalar.One)
            .MoveToOuterDisposeScope();
    }

    /// <summary>The training tables as float32 tensors [NumTrainTimesteps], to be indexed on the device.</summary>
    /// <param name="device">Where they shall lie; the CPU when null.</param>
    /// <returns>Timesteps and sigmas, owned by the caller.</returns>
    public (Tensor Timesteps, Tensor Sigmas) TrainTables(Device? device = null) =>
        (tensor(TrainTimesteps.ToArray(), device: device ?? CPU), tensor(TrainSigmas.ToArray(), device: device ?? CPU));
}
