namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// Which parts of a model are in device memory at a time. It affects time, but not pictures and losses (apart from the rounding of gradient
/// checkpointing).
/// </summary>
public enum MemoryMode
{
    /// <summary>
    /// The command line picks the first of the others whose predicted need fits the device's free memory, and says which. In code:
    /// <see cref="Fast"/>.
    /// </summary>
    Auto,

    /// <summary>Everything is loaded at once and stays.</summary>
    Fast,

    /// <summary>
    /// The transformer stays. The CLIP encoders and the autoencoder are loaded when they are needed and freed afterwards; T5 is read block
    /// by block and is never in memory as a whole; its result for a text is kept.
    /// </summary>
    Balanced,

    /// <summary>
    /// As <see cref="Balanced"/>; training computes activations again in the backward pass (gradient checkpointing), and generation on a
    /// device that cannot hold the transformer loads its blocks one by one in every step.
    /// </summary>
    Low,
}
