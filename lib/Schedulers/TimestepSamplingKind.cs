namespace Dreambooth.Lab.Schedulers;

/// <summary>How a noise level is drawn before it is shifted: <c>--timestep_sampling</c>.</summary>
public enum TimestepSamplingKind
{
    /// <summary>As the weighting scheme draws places in the training table, the reference's way: <c>scheme</c>.</summary>
    Scheme,

    /// <summary>All levels alike: <c>uniform</c>.</summary>
    Uniform,

    /// <summary>The logistic function of a normal draw times a factor: <c>sigmoid</c>.</summary>
    Sigmoid,

    /// <summary>
    /// The logistic function of a normal draw with mean and deviation: <c>logit_normal</c>. A mean above 0 means more noise, as in the
    /// paper; in <see cref="Scheme"/>, as in the reference, less.
    /// </summary>
    LogitNormal,

    /// <summary>Levels with an adjustable mode: <c>mode</c>.</summary>
    Mode,

    /// <summary>The density 2 / (π (1 − 2σ + 2σ²)): <c>cosmap</c>.</summary>
    Cosmap,
}
