using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary>The settings of <see cref="FlatProdigy"/> that all parameters share; defaults are those of the reference script.</summary>
public sealed record ProdigyConfig
{
    /// <summary>Decay of the mean of gradients, in [0, 1); default 0.9. <c>--adam_beta1</c>.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the mean of squared gradients, in [0, 1); default 0.999. <c>--adam_beta2</c>.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Decay of the sums that the estimate is made of, in [0, 1); null (the default): √beta2. <c>--prodigy_beta3</c>.</summary>
    public double? Beta3 { get; init; }

    /// <summary>Times the estimate it is added to the root of the mean square; from 0, default 1e-8. <c>--adam_epsilon</c>.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Weight decay as AdamW's, default true; false: added to the gradient. <c>--prodigy_decouple</c>.</summary>
    public bool Decouple { get; init; } = true;

    /// <summary>Corrects the moments of the first steps as Adam does, default true. <c>--prodigy_use_bias_correction</c>.</summary>
    public bool UseBiasCorrection { get; init; } = true;

    /// <summary>Leaves the rate out of the estimate's denominator, default true. <c>--prodigy_safeguard_warmup</c>.</summary>
    public bool SafeguardWarmup { get; init; } = true;

    /// <summary>The first estimate, above 0, default 1e-6. <c>--prodigy_d0</c>.</summary>
    public double D0 { get; init; } = 1e-6;

    /// <summary>Factor of the estimate, above 0, default 1. <c>--prodigy_d_coef</c>.</summary>
    public double DCoef { get; init; } = 1;

    /// <summary>
    /// The most by which the estimate grows in a step, above 1; infinite (the default): no limit. <c>--prodigy_growth_rate</c>.
    /// </summary>
    public double GrowthRate { get; init; } = double.PositiveInfinity;

    /// <summary>The estimate reads every nth number of each tensor, at least 1, default 1. <c>--prodigy_slice_p</c>.</summary>
    public int SliceP { get; init; } = 1;

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="LabException">Names every value that is out of range.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        if (!(Beta1 is >= 0 and < 1))
            errors.Add($"adam_beta1 is {Beta1}; it must be at least 0 and below 1");
        if (!(Beta2 is >= 0 and < 1))
            errors.Add($"adam_beta2 is {Beta2}; it must be at least 0 and below 1");
        if (Beta3 is not (null or (>= 0 and < 1)))
            errors.Add($"prodigy_beta3 is {Beta3}; it must be at least 0 and below 1");
        if (!(Epsilon >= 0) || !double.IsFinite(Epsilon))
            errors.Add($"adam_epsilon is {Epsilon}; it must be at least 0");
        if (!(D0 > 0) || !double.IsFinite(D0))
            errors.Add($"prodigy_d0 is {D0}; it must be above 0");
        if (!(DCoef > 0) || !double.IsFinite(DCoef))
            errors.Add($"prodigy_d_coef is {DCoef}; it must be above 0");
        if (!(GrowthRate > 1))
            errors.Add($"prodigy_growth_rate is {GrowthRate}; it must be above 1");
        if (SliceP < 1)
            errors.Add($"prodigy_slice_p is {SliceP}; it must be at least 1");
        if (errors.Count > 0)
            throw new LabException($"The optimizer's settings are wrong: {string.Join("; ", errors)}.");
    }
}
