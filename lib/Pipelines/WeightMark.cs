namespace Dreambooth.Lab.Pipelines;

/// <summary>A weighted part of a prompt.</summary>
/// <param name="Start">Its first character in the text without marks.</param>
/// <param name="End">Behind its last character.</param>
/// <param name="Weight">The weight, from 0; 1 changes nothing.</param>
/// <param name="Shown">The mark as it was written.</param>
internal sealed record WeightMark(int Start, int End, double Weight, string Shown);
