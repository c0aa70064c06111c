using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary>The settings of <see cref="FlatScheduleFree"/> that all parameters share.</summary>
public sealed record ScheduleFreeConfig
{
    /// <summary>
    /// Where gradients are computed between the average (1) and the fast weights (0), in (0, 1); default 0.9. <c>--adam_beta1</c>.
    /// </summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the mean of squared gradients, in [0, 1); default 0.999. <c>--adam_beta2</c>.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the mean square; from 0, default 1e-8. <c>--adam_epsilon</c>.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>A step counts in the average by its number to this power; finite, default 0: all alike.</summary>
    public double AveragePower { get; init; }

    /// <summary>A step counts in the average by the largest rate so far to this power; from 0, default 2.</summary>
    public double RatePower { get; init; } = 2;

    /// <summary>Decay of a mean of gradients that takes their place, in [0, 1); 0 (the default): none.</summary>
    public double InnerMomentum { get; init; }

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="LabException">Names every value that is out of range.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        if (!(Beta1 is > 0 and < 1))
            errors.Add($"adam_beta1 is {Beta1}; for adamw_schedulefree it must be above 0 and below 1");
        if (!(Beta2 is >= 0 and < 1))
            errors.Add($"adam_beta2 is {Beta2}; it must be at least 0 and below 1");
        if (!(Epsilon >= 0) || !double.IsFinite(Epsilon))
            errors.Add($"adam_epsilon is {Epsilon}; it must be at least 0");
        if (!double.IsFinite(AveragePower))
            errors.Add($"the power of a step's number is {AveragePower}; it must be finite");
        if (!(RatePower >= 0) || !double.IsFinite(RatePower))
            errors.Add($"the power of a step's rate is {RatePower}; it must be at least 0");
        if (!(InnerMomentum is >= 0 and < 1))
            errors.Add($"the inner momentum is {InnerMomentum}; it must be at least 0 and below 1");
        if (errors.Count > 0)
            throw new LabException($"The optimizer's settings are wrong: {string.Join("; ", errors)}.");
    }
}
