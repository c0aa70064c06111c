namespace Dreambooth.Lab.Peft;

/// <summary>The part of an adapter's flat buffer that belongs to one model.</summary>
/// <param name="Component">Prefix of the model, for example <c>transformer</c>.</param>
/// <param name="Offset">First element.</param>
/// <param name="Length">Number of elements.</param>
public sealed record LoraSegment(string Component, long Offset, long Length);
