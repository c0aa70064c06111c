namespace Dreambooth.Lab.Display;

/// <summary>What one thing takes in a phase.</summary>
/// <param name="Name">What it is: "transformer", "activations".</param>
/// <param name="Bytes">Bytes, at least 0.</param>
public sealed record MemoryChartPart(string Name, long Bytes);
