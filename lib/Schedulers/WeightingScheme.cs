namespace Dreambooth.Lab.Schedulers;

/// <summary>
/// How training timesteps are drawn and losses weighted: <c>--weighting_scheme</c>. Source: Esser et al., Scaling Rectified
/// Flow Transformers for High-Resolution Image Synthesis (arXiv 2403.03206), section 3.1.
/// </summary>
public enum WeightingScheme
{
    /// <summary>Uniform timesteps, weight 1: <c>none</c>.</summary>
    None,

    /// <summary>Uniform timesteps, weight σ⁻²: <c>sigma_sqrt</c>.</summary>
    SigmaSqrt,

    /// <summary>Timesteps dense in the middle (a logistic function of a normal draw), weight 1: <c>logit_normal</c>.</summary>
    LogitNormal,

    /// <summary>Timesteps with an adjustable mode, weight 1: <c>mode</c>.</summary>
    Mode,

    /// <summary>Uniform timesteps, weight 2 / (π (1 − 2σ + 2σ²)): <c>cosmap</c>.</summary>
    Cosmap,
}
