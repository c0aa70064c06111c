namespace Dreambooth.Lab.Display;

/// <summary>What is in memory in one phase of a run.</summary>
/// <param name="Name">The phase: "encode prompts", "train".</param>
/// <param name="Parts">What is there.</param>
public sealed record MemoryChartPhase(string Name, IReadOnlyList<MemoryChartPart> Parts)
{
    /// <summary>Bytes of all parts.</summary>
    public long Total => Parts.Sum(part => part.Bytes);
}
