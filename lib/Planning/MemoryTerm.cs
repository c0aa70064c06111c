namespace Dreambooth.Lab.Planning;

/// <summary>One thing that takes memory in a phase.</summary>
/// <param name="Name">What it is, for example <c>transformer weights</c>.</param>
/// <param name="Bytes">How much.</param>
/// <param name="IsExact">Whether it is counted; otherwise it is an estimate from shapes.</param>
/// <param name="How">How it is found, a phrase.</param>
public sealed record MemoryTerm(string Name, long Bytes, bool IsExact, string How);
