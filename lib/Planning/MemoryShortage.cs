using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;

namespace Dreambooth.Lab.Planning;

/// <summary>One message that says what ran out of memory and which settings would fit.</summary>
internal static class MemoryShortage
{
    /// <summary>Explains an out-of-memory error.</summary>
    /// <param name="error">What libtorch threw, see <see cref="OutOfMemory.Is"/>.</param>
    /// <param name="phase">What was being done, as <c>training</c>.</param>
    /// <param name="total">Memory of the device in bytes, or null where it is not known.</param>
    /// <param name="model">The model's sizes, or null where they are not known.</param>
    /// <param name="settings">The run's settings.</param>
    public static LabException Explain(Exception error, string phase, long? total, ModelArchitecture? model, MemorySettings settings)
    {
        ArgumentNullException.ThrowIfNull(error);
        ArgumentException.ThrowIfNullOrEmpty(phase);
        ArgumentNullException.ThrowIfNull(settings);
        var asked = OutOfMemory.Requested(error) is { } requested ? $": {ByteSize.Text(requested)} more were asked for" : string.Empty;
        var place = total is { } size ? $" on a device of {ByteSize.Text(size)}" : string.Empty;
        return new LabException($"Out of memory during {phase}{asked}{place}. {Advice(total, model, settings)}", error);
    }

    private static string Advice(long? total, ModelArchitecture? model, MemorySettings settings)
    {
        if (model is null)
            return "The verb memory predicts what settings need.";
        var planner = new MemoryPlanner(model);
        if (total is null)
            return $"By prediction the run needs {ByteSize.Text(planner.Forecast(settings).Peak)}.";
        var needed = planner.Forecast(settings).Peak;
        var fit = planner.Fit(settings, total.Value);
        return fit switch
        {
            null => $"By prediction the run needs {ByteSize.Text(needed)}, and no settings fit.",
            { Changes.Count: 0 } =>
                $"By prediction the run needs {ByteSize.Text(needed)} and would fit: something else may use the device.",
            var (changes, forecast) =>
                $"By prediction the run needs {ByteSize.Text(needed)}; with {string.Join(", ", changes)} it needs "
                + $"{ByteSize.Text(forecast.Peak)} and fits.",
        };
    }
}
