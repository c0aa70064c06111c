namespace Dreambooth.Lab.Peft;

/// <summary>How much an adapter changes one layer.</summary>
/// <param name="Component">The model: <c>transformer</c>, <c>text_encoder</c> or <c>text_encoder_2</c>.</param>
/// <param name="Path">The layer's path in the model.</param>
/// <param name="Block">The block or layer number that the path names, from 0; null where it names none.</param>
/// <param name="UpdateNorm">Frobenius norm of the update alpha / rank × B A, times the adapter's weight.</param>
/// <param name="WeightNorm">Frobenius norm of the weight that it is added to.</param>
public sealed record LoraLayerChange(string Component, string Path, int? Block, double UpdateNorm, double WeightNorm)
{
    /// <summary>The update's size as a part of the weight's: 0.01 is a change of one per cent.</summary>
    public double Relative => WeightNorm > 0 ? UpdateNorm / WeightNorm : 0;

    /// <summary>The layer's name without its block: <c>attn.to_q</c>.</summary>
    public string Kind => Block is null ? Path : Path[(Path.IndexOf($".{Block}.", StringComparison.Ordinal) + $".{Block}.".Length)..];
}
