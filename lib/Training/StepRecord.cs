namespace Dreambooth.Lab.Training;

/// <summary>What one optimizer step did: one line of <c>steps.jsonl</c>.</summary>
public sealed record StepRecord
{
    /// <summary>Optimizer steps done, this one included; from 1.</summary>
    public required int Step { get; init; }

    /// <summary>The pass over the pictures, from 0.</summary>
    public required int Epoch { get; init; }

    /// <summary>The loss that was minimised: instance loss plus weighted prior loss, mean over the step's micro-batches.</summary>
    public required double Loss { get; init; }

    /// <summary>The loss on the instance pictures, mean over the step's micro-batches.</summary>
    public required double InstanceLoss { get; init; }

    /// <summary>The loss on the class pictures before its weight; null without prior preservation.</summary>
    public double? PriorLoss { get; init; }

    /// <summary>
    /// The loss on instance pictures at fixed noise levels with fixed noise, after this step; null where it was not measured
    /// (<see cref="DreamBoothConfig.ValidationLossSteps"/>).
    /// </summary>
    public double? ValidationLoss { get; init; }

    /// <summary>
    /// Mean scores of the validation pictures after this step, by name; null where they were not scored
    /// (<see cref="DreamBoothConfig.EvaluationSteps"/>).
    /// </summary>
    public IReadOnlyDictionary<string, double>? Scores { get; init; }

    /// <summary>What scored them (<see cref="Pipelines.IPictureJudge.Name"/>); null where nothing did.</summary>
    public string? Judge { get; init; }

    /// <summary>
    /// The validation pictures after this step beside the photos and without the identifier; null where they were not compared
    /// (<see cref="DreamBoothConfig.WatchSteps"/>).
    /// </summary>
    public IReadOnlyList<WatchedPicture>? Watched { get; init; }

    /// <summary>The rate that this step used for the transformer.</summary>
    public required double LearningRate { get; init; }

    /// <summary>The rate that this step used for the CLIP encoders; null when they are not trained.</summary>
    public double? TextEncoderLr { get; init; }

    /// <summary>
    /// The step size that Prodigy has estimated after this step, d, by which it multiplies the rate; null with other optimizers.
    /// </summary>
    public double? StepSize { get; init; }

    /// <summary>
    /// Length of the gradient over everything that is trained, before clipping; not finite in a step that the loss scaling of fp16 left
    /// out.
    /// </summary>
    public required double GradNorm { get; init; }

    /// <summary>
    /// The same for each model by itself (transformer, text_encoder, text_encoder_2), by name; null where only one is trained.
    /// </summary>
    public IReadOnlyDictionary<string, double>? GradNorms { get; init; }

    /// <summary>
    /// Memory in use in GiB, at most a second old: on a GPU the device's, of all processes; else what the process has in physical memory.
    /// Null where it was not read.
    /// </summary>
    public double? MemoryGib { get; init; }

    /// <summary>The factor of the loss in this step, with mixed_precision fp16; else null.</summary>
    public double? LossScale { get; init; }

    /// <summary>Wall time of the step in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>Pictures per second of the step, instance and class pictures together.</summary>
    public required double ImagesPerSecond { get; init; }
}
