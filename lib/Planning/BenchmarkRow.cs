namespace Dreambooth.Lab.Planning;

/// <summary>One measured piece of work.</summary>
/// <param name="Work">What was done, with its sizes.</param>
/// <param name="Milliseconds">Median time of the repeats, warm; null where the work failed.</param>
/// <param name="Repeats">How often it was timed.</param>
/// <param name="PeakBytes">The most memory during it over what the process or device held before its models were built; see <see cref="Profiling.MemoryProfile.FigureText"/>.</param>
/// <param name="Failure">Why there is no time, or null.</param>
public sealed record BenchmarkRow(string Work, double? Milliseconds, int Repeats, long PeakBytes, string? Failure = null);
