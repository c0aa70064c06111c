namespace Dreambooth.Lab.Peft;

/// <summary>One layer of a LoRA file.</summary>
/// <param name="Component">The model: <c>transformer</c>, <c>text_encoder</c>, <c>text_encoder_2</c> or <c>text_encoder_3</c>.</param>
/// <param name="Path">The layer's path in the model.</param>
/// <param name="Layout">Whose name the file has for it.</param>
/// <param name="Variant">What the update does.</param>
/// <param name="Rank">Its rank.</param>
/// <param name="Alpha">Its alpha.</param>
/// <param name="Factor">The factor of the update that alpha means.</param>
/// <param name="Out">Width of the layer's output.</param>
/// <param name="In">Width of the layer's input.</param>
internal sealed record LoraInspectedLayer(
    string Component, string Path, LoraFileLayout Layout, LoraVariant Variant, int Rank, double Alpha, double Factor, long Out, long In)
{
    /// <summary>
    /// Frobenius norm of the update without magnitudes, which are nothing without the model's weight; null where values were not read.
    /// </summary>
    public double? Strength { get; init; }

    /// <summary>The block or layer number that the path names, from 0; null where it names none.</summary>
    public int? Block => LoraChange.Block(Path);
}
