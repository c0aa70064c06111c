namespace Dreambooth.Lab.Schedulers;

/// <summary>How timesteps are drawn and losses weighed; the flag <c>--weighting_scheme</c>.</summary>
public enum WeightingScheme
{
    /// <summary>Uniform draw, loss weighed by sigma⁻².</summary>
    SigmaSqrt,

    /// <summary>Draw from a logit-normal distribution (<c>logit_mean</c>, <c>logit_std</c>), every loss weighs 1.</summary>
    LogitNormal,

    /// <summary>Draw from the mode distribution (<c>mode_scale</c>), every loss weighs 1.</summary>
    Mode,

    /// <summary>Uniform draw, loss weighed by the cosine map.</summary>
    Cosmap,
}
