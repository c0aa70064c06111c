namespace Dreambooth.Lab.Planning;

/// <summary>A run, predicted and measured phase by phase.</summary>
/// <param name="Name">The case's name.</param>
/// <param name="Figure">
/// What was measured: <c>AllocatedOnDevice</c> (exact, from the CUDA pool's counters), else the timeline's figure.
/// </param>
/// <param name="Phases">The phases that came to their end, in order.</param>
/// <param name="Failure">Why the run did not come to its end, with the phase, or null.</param>
internal sealed record CalibrationRow(string Name, string Figure, IReadOnlyList<CalibrationPhase> Phases, string? Failure = null)
{
    /// <summary>The largest predicted peak, in bytes.</summary>
    public long Predicted => Phases.Count == 0 ? 0 : Phases.Max(phase => phase.Predicted);

    /// <summary>The largest measured peak, in bytes.</summary>
    public long Measured => Phases.Count == 0 ? 0 : Phases.Max(phase => phase.Measured);

    /// <summary>Predicted by measured peak of the whole run.</summary>
    public double Ratio => Measured > 0 ? (double)Predicted / Measured : double.NaN;
}
