using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;

namespace Dreambooth.Lab.Training;

/// <content>Batches, learning rates and the loss.</content>
public sealed partial record DreamBoothConfig
{
    private const string LengthGroup = "Batches and length";
    private const string RateGroup = "Learning rate";
    private const string LossGroup = "Loss";

    /// <summary>Instance pictures per micro-batch, at least 1, default 4. Flag <c>--train_batch_size</c>.</summary>
    [Flag(LengthGroup, "Instance pictures per micro-batch.", Minimum = 1, Maximum = 65_536)]
    public int TrainBatchSize { get; init; } = 4;

    /// <summary>Micro-batches per optimizer step, at least 1, default 1. Flag <c>--gradient_accumulation_steps</c>.</summary>
    [Flag(LengthGroup, "Micro-batches per optimizer step.", Minimum = 1, Maximum = 1_000_000)]
    public int GradientAccumulationSteps { get; init; } = 1;

    /// <summary>
    /// Passes over the pictures where <see cref="MaxTrainSteps"/> is null, at least 1, default 1. Flag <c>--num_train_epochs</c>.
    /// </summary>
    [Flag(LengthGroup, "Passes over the pictures; max_train_steps takes precedence.", Minimum = 1)]
    public int NumTrainEpochs { get; init; } = 1;

    /// <summary>Optimizer steps, at least 1; null (the default): as many as the epochs have. Flag <c>--max_train_steps</c>.</summary>
    [Flag(LengthGroup, "Optimizer steps.", Minimum = 1, DefaultText = "as many as the epochs have")]
    public int? MaxTrainSteps { get; init; }

    /// <summary>Seed of every random draw, at least 0; null (the default): a random one. Flag <c>--seed</c>.</summary>
    [Flag(LengthGroup, "Seed of every random draw.", Minimum = 0, DefaultText = "a fresh one")]
    public long? Seed { get; init; }

    /// <summary>Learning rate after the warm-up, at least 0, default 1e-4. Flag <c>--learning_rate</c>.</summary>
    [Flag(RateGroup, "Learning rate after the warm-up.", Minimum = 0)]
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>Learning rate of the CLIP encoders' LoRA, at least 0, default 5e-6. Flag <c>--text_encoder_lr</c>.</summary>
    [Flag(RateGroup, "Learning rate of the CLIP encoders' LoRA.", Minimum = 0)]
    public double TextEncoderLr { get; init; } = 5e-6;

    /// <summary>
    /// Multiply the learning rate by processes, accumulation steps and batch size, default false. Flag <c>--scale_lr</c>.
    /// </summary>
    [Flag(RateGroup, "Multiply the learning rate by processes, accumulation steps and batch size.")]
    public bool ScaleLr { get; init; }

    /// <summary>How the learning rate changes over the steps, default constant. Flag <c>--lr_scheduler</c>.</summary>
    [Flag(RateGroup, "How the learning rate changes over the steps.", Placeholder = "NAME")]
    public LearningRateScheduleKind LrScheduler { get; init; } = LearningRateScheduleKind.Constant;

    /// <summary>
    /// Optimizer steps of warm-up, at least 0, default 500; without effect on <c>constant</c>. Flag <c>--lr_warmup_steps</c>.
    /// </summary>
    [Flag(RateGroup, "Optimizer steps of warm-up.", Minimum = 0)]
    public int LrWarmupSteps { get; init; } = 500;

    /// <summary>Restarts of <c>cosine_with_restarts</c>, at least 1, default 1. Flag <c>--lr_num_cycles</c>.</summary>
    [Flag(RateGroup, "Restarts of cosine_with_restarts.", Minimum = 1)]
    public int LrNumCycles { get; init; } = 1;

    /// <summary>Power of <c>polynomial</c>, more than 0, default 1. Flag <c>--lr_power</c>.</summary>
    [Flag(RateGroup, "Power of polynomial.", Minimum = 0, OpenMinimum = true)]
    public double LrPower { get; init; } = 1.0;

    /// <summary>
    /// How timesteps are drawn, unless <see cref="TimestepSampling"/> says it, and losses weighted, default logit_normal. Flag
    /// <c>--weighting_scheme</c>.
    /// </summary>
    [Flag(LossGroup, "How timesteps are drawn and losses weighted.", Placeholder = "NAME")]
    public WeightingScheme WeightingScheme { get; init; } = WeightingScheme.LogitNormal;

    /// <summary>Mean of the logit-normal draw, default 0. Flag <c>--logit_mean</c>.</summary>
    [Flag(LossGroup, "Mean of the logit_normal draw.")]
    public double LogitMean { get; init; }

    /// <summary>Standard deviation of the logit-normal draw, more than 0, default 1. Flag <c>--logit_std</c>.</summary>
    [Flag(LossGroup, "Standard deviation of the logit_normal draw.", Minimum = 0, OpenMinimum = true)]
    public double LogitStd { get; init; } = 1.0;

    /// <summary>Scale of the mode draw, default 1.29. Flag <c>--mode_scale</c>.</summary>
    [Flag(LossGroup, "Scale of the mode draw.")]
    public double ModeScale { get; init; } = 1.29;

    /// <summary>
    /// Compare latents (noisy latents minus sigma times the output) instead of velocities, default true.
    /// Flag <c>--precondition_outputs</c> (1 or 0).
    /// </summary>
    [Flag(LossGroup, "Compare latents instead of velocities.", Placeholder = "1|0")]
    public bool PreconditionOutputs { get; init; } = true;
}
