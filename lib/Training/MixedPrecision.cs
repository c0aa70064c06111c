namespace Dreambooth.Lab.Training;

/// <summary>The precision that training computes in; the flag <c>--mixed_precision</c>.</summary>
public enum MixedPrecision
{
    /// <summary>Everything in 32-bit floats.</summary>
    No,

    /// <summary>Frozen weights and activations in 16-bit IEEE floats, with loss scaling.</summary>
    Fp16,

    /// <summary>Frozen weights and activations in bfloat16.</summary>
    Bf16,
}
