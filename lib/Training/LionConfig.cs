using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary>The settings of <see cref="FlatLion"/> that all parameters share.</summary>
public sealed record LionConfig
{
    /// <summary>Weight of the past in a step's direction, in [0, 1); default 0.9. <c>--lion_beta1</c>.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the mean of gradients, in [0, 1); default 0.99. <c>--lion_beta2</c>.</summary>
    public double Beta2 { get; init; } = 0.99;

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="LabException">Names every value that is out of range.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        if (!(Beta1 is >= 0 and < 1))
            errors.Add($"lion_beta1 is {Beta1}; it must be at least 0 and below 1");
        if (!(Beta2 is >= 0 and < 1))
            errors.Add($"lion_beta2 is {Beta2}; it must be at least 0 and below 1");
        if (errors.Count > 0)
            throw new LabException($"The optimizer's settings are wrong: {string.Join("; ", errors)}.");
    }
}
