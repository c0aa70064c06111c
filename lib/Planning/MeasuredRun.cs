namespace Dreambooth.Lab.Planning;

/// <summary>A measured run of <c>bench memory</c>, beside what the planner now predicts for it.</summary>
/// <param name="Name">The case's name.</param>
/// <param name="Forecast">The prediction.</param>
/// <param name="Figure">What was measured; see <see cref="CalibrationRow.Figure"/>.</param>
/// <param name="Phases">
/// The phases in order, peaks in bytes; <see cref="CalibrationPhase.Predicted"/> is <paramref name="Forecast"/>'s.
/// </param>
public sealed record MeasuredRun(string Name, MemoryForecast Forecast, string Figure, IReadOnlyList<CalibrationPhase> Phases)
{
    /// <summary>The figure of runs whose tensors' memory was counted exactly.</summary>
    internal const string Allocated = "AllocatedOnDevice";

    /// <summary>The run.</summary>
    public MemorySettings Settings => Forecast.Settings;

    /// <summary>The largest measured peak, in bytes.</summary>
    public long Measured => Phases.Max(phase => phase.Measured);

    /// <summary>Predicted by measured peak of the whole run: 1.05 is five per cent too much.</summary>
    public double Ratio => (double)Forecast.Peak / Measured;

    /// <summary>The measured peak of a phase, in bytes; null when the run has no such phase.</summary>
    /// <param name="phase">Its name.</param>
    public long? PeakOf(string phase) => Phases.FirstOrDefault(entry => entry.Phase == phase)?.Measured;

    /// <summary>
    /// Whether this measures a run of such settings. Of a training, the number of cached latents (half a MiB each at 512 pixels) and the
    /// size of the picture that is generated afterwards may differ.
    /// </summary>
    /// <param name="settings">The settings.</param>
    public bool IsOf(MemorySettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return settings == (settings.Training == TrainingKind.None
            ? Settings
            : Settings with { CachedPictures = settings.CachedPictures, SampleResolution = settings.SampleResolution });
    }
}
