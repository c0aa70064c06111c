namespace Dreambooth.Lab.Training;

/// <summary>What a caller sees of a running training; every part may be left out.</summary>
public sealed record TrainingHooks
{
    /// <summary>Called after each optimiser step with its figures.</summary>
    public Action<StepRecord>? OnStep { get; init; }

    /// <summary>Called after each micro-batch with its losses.</summary>
    public Action<MicroBatchRecord>? OnMicroBatch { get; init; }
}
