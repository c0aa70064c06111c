using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary>The settings of <see cref="FlatAdafactor"/> that all parameters share.</summary>
public sealed record AdafactorConfig
{
    /// <summary>
    /// Take the smaller of 0.01 and 1/√step in place of the rate, default false (transformers: true).
    /// <c>--adafactor_relative_step</c>.
    /// </summary>
    public bool RelativeStep { get; init; }

    /// <summary>
    /// Multiply a tensor's rate by the root mean square of its values, at least 0.001, default false (transformers: true): a LoRA's B
    /// begins at 0 and would hardly move. <c>--adafactor_scale_parameter</c>.
    /// </summary>
    public bool ScaleParameter { get; init; }

    /// <summary>With a relative step: begin at 1e-6 times the step, default false. <c>--adafactor_warmup_init</c>.</summary>
    public bool WarmupInit { get; init; }

    /// <summary>Decay of a mean of updates that takes their place, in [0, 1); null (the default): none.</summary>
    public double? Beta1 { get; init; }

    /// <summary>Checks the settings.</summary>
    /// <exception cref="LabException">Names everything that is wrong.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        if (Beta1 is not (null or (>= 0 and < 1)))
            errors.Add($"Adafactor's beta1 is {Beta1}; it must be at least 0 and below 1");
        if (WarmupInit && !RelativeStep)
            errors.Add("adafactor_warmup_init needs adafactor_relative_step");
        if (errors.Count > 0)
            throw new LabException($"The optimizer's settings are wrong: {string.Join("; ", errors)}.");
    }
}
