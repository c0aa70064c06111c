namespace Dreambooth.Lab.Peft;

/// <summary>How much a LoRA changes one block of a model.</summary>
/// <param name="Component">The model.</param>
/// <param name="Place"><c>block 3</c>, or <c>outside blocks</c>.</param>
/// <param name="Norm">Frobenius norm of all changes in it.</param>
internal sealed record LoraBlockStrength(string Component, string Place, double Norm);
