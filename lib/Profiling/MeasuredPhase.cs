namespace Dreambooth.Lab.Profiling;

/// <summary>A phase of a run. Sizes in bytes over the timeline's beginning, of the profile's figure.</summary>
/// <param name="Name">For example <c>step</c>.</param>
/// <param name="Start">Seconds since the timeline began.</param>
/// <param name="End">Seconds since the timeline began.</param>
/// <param name="Before">Held when it began.</param>
/// <param name="Peak">The most that was held at once.</param>
/// <param name="After">Held when it ended.</param>
public sealed record MeasuredPhase(string Name, double Start, double End, long Before, long Peak, long After);
