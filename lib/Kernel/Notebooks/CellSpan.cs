namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>Where a cell lies in its notebook's bytes.</summary>
/// <param name="Start">The offset of its opening brace.</param>
/// <param name="End">The offset after its closing brace.</param>
/// <param name="Values">Offsets of each property's name, value and end.</param>
internal sealed record CellSpan(int Start, int End, IReadOnlyDictionary<string, (int Name, int Value, int End)> Values);
