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

    /// <summary>Refuses a LoRA that no memory mode can hold: its numbers, their gradients and the optimizer's state.</summary>
    /// <param name="model">The model's sizes.</param>
    /// <param name="settings">The training.</param>
    /// <param name="memory">What the device has.</param>
    /// <exception cref="LabException">It is larger than the memory.</exception>
    public static void RefuseLora(ModelArchitecture model, MemorySettings settings, AvailableMemory memory)
    {
        var planner = new MemoryPlanner(model);
        var numbers = planner.TrainedNumbers(settings);
        var needed = (2.0 * sizeof(float) * numbers) + settings.Optimizer.StateBytes(planner.TrainedShapes(settings));
        if (needed <= memory.Bytes)
            return;
        var largest = (int)(settings.Rank * (memory.Bytes / needed));
        throw new LabException(
            FormattableString.Invariant($"rank is {settings.Rank}: that LoRA has {numbers:N0} numbers, which take ")
            + $"{ByteSize.Text((long)needed)} with their gradients and the optimizer's moments; {ByteSize.Text(memory.Bytes)} are "
            + $"{memory.Place}. " + (largest > 0
                ? FormattableString.Invariant($"A rank of {largest} takes all of it; 4 to 64 is usual.") : "No rank fits."));
    }

    /// <summary>
    /// Refuses a run on the processor that is predicted to need more than twice what there is: no allocation fails there, the system ends
    /// the program in the middle of the run, without a word. Less than that may still be the prediction's error.
    /// </summary>
    /// <param name="model">The model's sizes.</param>
    /// <param name="settings">The run.</param>
    /// <param name="memory">What the machine has.</param>
    /// <exception cref="LabException">It needs so much.</exception>
    public static void RefuseFarTooLarge(ModelArchitecture model, MemorySettings settings, AvailableMemory memory)
    {
        if (memory.IsGpu || new MemoryPlanner(model).Forecast(settings).Peak <= 2.0 * memory.Bytes)
            return;
        throw new LabException($"{ByteSize.Text(memory.Bytes)} are {memory.Place}. {Advice(memory.Bytes, model, settings)}");
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
