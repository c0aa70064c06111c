using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Schedulers;

/// <summary>
/// The settings of <see cref="FlowMatchEulerDiscreteScheduler"/>, as <c>scheduler_config.json</c> of the published Stable
/// Diffusion 3 and 3.5 models gives them. What those models do not use (dynamic shifting, Karras, exponential and beta
/// schedules, inverted or stretched sigmas, stochastic sampling) is refused when it is turned on.
/// </summary>
public sealed record FlowMatchEulerDiscreteSchedulerConfig
{
    private const string ClassName = "FlowMatchEulerDiscreteScheduler";

    // The table of noise levels has as many entries.
    private const int MostTimesteps = 1_000_000;

    private static readonly string[] MustBeOff =
    [
        "use_dynamic_shifting", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "invert_sigmas", "stochastic_sampling",
    ];

    /// <summary>Number of training timesteps; from 1, default 1000.</summary>
    public int NumTrainTimesteps { get; init; } = 1000;

    /// <summary>How strongly sigmas are shifted towards noise; above 0, default 1 (no shift), 3 in the published models.</summary>
    public double Shift { get; init; } = 1.0;

    /// <summary>Reads <c>scheduler_config.json</c>.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="LabException">The file is missing or malformed, or asks for what is not supported.</exception>
    public static FlowMatchEulerDiscreteSchedulerConfig Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Parse(JsonField.ReadFile(path));
    }

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="LabException">Names every value that is out of range.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        if (NumTrainTimesteps is < 1 or > MostTimesteps)
            errors.Add($"num_train_timesteps is {NumTrainTimesteps}; valid is 1 to {MostTimesteps}");
        if (!(Shift > 0) || !double.IsFinite(Shift))
            errors.Add($"shift is {Shift}; it must be above 0");
        if (errors.Count > 0)
            throw new LabException($"The scheduler config is wrong: {string.Join("; ", errors)}.");
    }

    private static FlowMatchEulerDiscreteSchedulerConfig Parse(JsonField root)
    {
        var path = root.Source;
        if (root.Find("_class_name")?.Text() is { } name && name != ClassName)
            throw new LabException($"{path} is for {ShownText.Line(name)}; only {ClassName} is supported.");
        var unsupported = MustBeOff.Where(field => root.Find(field)?.Truth() == true).ToList();
        if (root.Find("shift_terminal")?.Number() is { } terminal && terminal != 0)
            unsupported.Add("shift_terminal");
        if (unsupported.Count > 0)
        {
            throw new LabException(
                $"{path} turns on {string.Join(", ", unsupported)}, which is not supported (false or null in every Stable Diffusion 3 "
                + "model).");
        }

        var defaults = new FlowMatchEulerDiscreteSchedulerConfig();
        return new FlowMatchEulerDiscreteSchedulerConfig
        {
            NumTrainTimesteps = root.Find("num_train_timesteps")?.Int(1, MostTimesteps) ?? defaults.NumTrainTimesteps,
            Shift = root.Find("shift") is { } shift
                ? shift.Number() is > 0 and var value ? value : throw shift.Wrong("a number above 0")
                : defaults.Shift,
        };
    }
}
