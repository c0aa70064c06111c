using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary>The settings of <see cref="FlatAdamW"/> that all parameters share.</summary>
public sealed record AdamWConfig
{
    /// <summary>Decay of the mean of gradients, in [0, 1); default 0.9. <c>--adam_beta1</c>.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the mean of squared gradients, in [0, 1); default 0.999. <c>--adam_beta2</c>.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the mean square; from 0, default 1e-8. <c>--adam_epsilon</c>.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="LabException">Names every value that is out of range.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        if (!(Beta1 is >= 0 and < 1))
            errors.Add($"adam_beta1 is {Beta1}; it must be at least 0 and below 1");
        if (!(Beta2 is >= 0 and < 1))
            errors.Add($"adam_beta2 is {Beta2}; it must be at least 0 and below 1");
        if (!(Epsilon >= 0) || !double.IsFinite(Epsilon))
            errors.Add($"adam_epsilon is {Epsilon}; it must be at least 0");
        if (errors.Count > 0)
            throw new LabException($"The optimizer's settings are wrong: {string.Join("; ", errors)}.");
    }
}
