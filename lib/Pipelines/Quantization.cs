namespace Dreambooth.Lab.Pipelines;

/// <summary>Whether the large products of a model's transformer have fewer bits than its other operations, for generation only.</summary>
public enum Quantization
{
    /// <summary>They have the same.</summary>
    None,

    /// <summary>
    /// Weights and inputs of attention and feed-forward in 8-bit floating point (e4m3), sums in float32; a weight has a scale for each
    /// output, an input one for each token. Half the memory of bf16. An approximation, and not another model: LoRA acts beside it as ever.
    /// </summary>
    Fp8,
}
