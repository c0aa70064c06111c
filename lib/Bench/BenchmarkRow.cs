using Dreambooth.Lab.Profiling;

namespace Dreambooth.Lab.Bench;

/// <summary>One measured piece of work; sizes in bytes.</summary>
/// <param name="Name">Its short name, by which a row is chosen.</param>
/// <param name="Work">What was done, with its sizes.</param>
internal sealed record BenchmarkRow(string Name, string Work)
{
    /// <summary>Median time of the repeats in milliseconds, warm; null where the work failed.</summary>
    public double? Milliseconds { get; init; }

    /// <summary>The repeats' times in milliseconds, shortest first.</summary>
    public IReadOnlyList<double> Times { get; init; } = [];

    /// <summary>
    /// The most memory in use over what was in use before anything was built, as <see cref="Figure"/> counts it; readings some milliseconds
    /// apart.
    /// </summary>
    public long Peak { get; init; }

    /// <summary>What <see cref="Peak"/> counts; see <see cref="MemoryProfile.FigureText"/>.</summary>
    public string Figure { get; init; } = string.Empty;

    /// <summary>The most that tensors held, exactly; null but with <see cref="Native.Cuda.CudaPool"/>.</summary>
    public long? AllocatedPeak { get; init; }

    /// <summary>The most that the allocator had reserved, exactly; null but with <see cref="Native.Cuda.CudaPool"/>.</summary>
    public long? ReservedPeak { get; init; }

    /// <summary>Whether the work was captured as a CUDA graph and replayed.</summary>
    public bool Recorded { get; init; }

    /// <summary>Why there is no time, or null.</summary>
    public string? Failure { get; init; }
}
