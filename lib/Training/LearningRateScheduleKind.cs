namespace Dreambooth.Lab.Training;

/// <summary>The shape of a learning-rate schedule: <c>--lr_scheduler</c>.</summary>
public enum LearningRateScheduleKind
{
    /// <summary>Warm-up, then a straight line to 0: <c>linear</c>.</summary>
    Linear,

    /// <summary>Warm-up, then half a cosine wave to 0, which rises again after the last training step: <c>cosine</c>.</summary>
    Cosine,

    /// <summary>Warm-up, then falling half waves that restart, then 0: <c>cosine_with_restarts</c>.</summary>
    CosineWithRestarts,

    /// <summary>Warm-up, then a polynomial down to 1e-7: <c>polynomial</c>.</summary>
    Polynomial,

    /// <summary>No change: <c>constant</c>.</summary>
    Constant,

    /// <summary>Warm-up, then no change: <c>constant_with_warmup</c>.</summary>
    ConstantWithWarmup,

    /// <summary>Factors by ranges of steps, see <see cref="LearningRateSchedule.StepRules"/>: <c>piecewise_constant</c>.</summary>
    PiecewiseConstant,
}
