namespace Dreambooth.Lab.Training;

/// <summary>How the learning rate changes over the steps; the flag <c>--lr_scheduler</c>.</summary>
public enum LrSchedulerType
{
    /// <summary>Falls linearly to 0 after the warm-up.</summary>
    Linear,

    /// <summary>Falls along a cosine to 0 after the warm-up.</summary>
    Cosine,

    /// <summary>A cosine that starts again <c>lr_num_cycles</c> times.</summary>
    CosineWithRestarts,

    /// <summary>Falls along a power (<c>lr_power</c>) after the warm-up.</summary>
    Polynomial,

    /// <summary>Stays; no warm-up.</summary>
    Constant,

    /// <summary>Rises linearly from 0 during the warm-up, then stays.</summary>
    ConstantWithWarmup,
}
