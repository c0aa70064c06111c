using Dreambooth.Lab.Layers;

namespace Dreambooth.Lab.Peft;

/// <summary>One linear layer's part of an adapter.</summary>
/// <param name="Component">Prefix of the model, for example <c>transformer</c>.</param>
/// <param name="Path">The layer's path in the model, for example <c>transformer_blocks.0.attn.to_q</c>.</param>
/// <param name="Linear">The layer.</param>
/// <param name="Weights">Its low-rank update.</param>
/// <param name="Alpha">Alpha; the update's factor is alpha / rank times the adapter's weight.</param>
public sealed record LoraLayer(string Component, string Path, LoraLinear Linear, LoraWeights Weights, double Alpha)
{
    /// <summary>Rank of the update.</summary>
    public int Rank => (int)Weights.A.shape[0];

    /// <summary>Name in a LoRA file, without <c>.lora_A.weight</c>.</summary>
    public string Key => $"{Component}.{Path}";
}
