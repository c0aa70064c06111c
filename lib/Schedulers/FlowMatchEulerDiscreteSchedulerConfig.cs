using System.Text.Json;
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
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return Parse(path, document.RootElement);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new LabException($"{path} is not a valid scheduler config: {error.Message}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"Cannot read the scheduler config {path}: {error.Message}", error);
        }
    }

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="LabException">Names every value that is out of range.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        if (NumTrainTimesteps < 1)
            errors.Add($"num_train_timesteps is {NumTrainTimesteps}; it must be at least 1");
        if (!(Shift > 0) || !double.IsFinite(Shift))
            errors.Add($"shift is {Shift}; it must be above 0");
        if (errors.Count > 0)
            throw new LabException($"The scheduler config is wrong: {string.Join("; ", errors)}.");
    }

    private static FlowMatchEulerDiscreteSchedulerConfig Parse(string path, JsonElement root)
    {
        if (root.TryGetProperty("_class_name", out var name) && name.GetString() != ClassName)
            throw new LabException($"{path} is for {name.GetString()}; only {ClassName} is supported.");
        var unsupported = MustBeOff.Where(field => IsOn(root, field)).ToList();
        if (root.TryGetProperty("shift_terminal", out var terminal) && terminal.ValueKind != JsonValueKind.Null && terminal.GetDouble() != 0)
            unsupported.Add("shift_terminal");
        if (unsupported.Count > 0)
        {
            throw new LabException(
                $"{path} turns on {string.Join(", ", unsupported)}, which is not supported (false or null in every Stable Diffusion 3 model).");
        }

        var defaults = new FlowMatchEulerDiscreteSchedulerConfig();
        var config = new FlowMatchEulerDiscreteSchedulerConfig
        {
            NumTrainTimesteps = root.TryGetProperty("num_train_timesteps", out var steps) ? steps.GetInt32() : defaults.NumTrainTimesteps,
            Shift = root.TryGetProperty("shift", out var shift) ? shift.GetDouble() : defaults.Shift,
        };
        config.Validate();
        return config;
    }

    private static bool IsOn(JsonElement root, string field) =>
        root.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null && value.GetBoolean();
}
