namespace Dreambooth.Lab.Training;

/// <summary>What a caller sees of a running training; every part may be left out.</summary>
public sealed record TrainingHooks
{
    /// <summary>Called after each optimiser step with its figures.</summary>
    public Action<StepRecord>? OnStep { get; init; }

    /// <summary>Called after each micro-batch with its losses.</summary>
    public Action<MicroBatchRecord>? OnMicroBatch { get; init; }

    /// <summary>Called with the latents of the last micro-batch of every <see cref="SampleEvery"/>-th step, before the optimiser moves the weights.</summary>
    public Action<TrainingSample>? OnSample { get; init; }

    /// <summary>How many steps lie between two calls of <see cref="OnSample"/>; 1 or more.</summary>
    public int SampleEvery { get; init; } = 1;
}
