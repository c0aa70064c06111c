namespace Dreambooth.Lab.Pipelines;

/// <summary>What of a model is in a device's memory at a time. Pictures and losses do not depend on it (but for the rounding of gradient checkpointing), time does.</summary>
public enum MemoryMode
{
    /// <summary>The command line picks the first of the others that fits by prediction what the device has free, and says which. In code: <see cref="Fast"/>.</summary>
    Auto,

    /// <summary>Everything is loaded at once and stays.</summary>
    Fast,

    /// <summary>
    /// The transformer stays. The CLIP encoders and the autoencoder are loaded when they are needed and freed afterwards; T5 is read block by block
    /// and never in memory whole, and its result for a text is kept.
    /// </summary>
    Balanced,

    /// <summary>
    /// As <see cref="Balanced"/>; training computes activations again in the backward pass (gradient checkpointing), and drawing on a device that does
    /// not hold the transformer loads its blocks one by one in every step.
    /// </summary>
    Low,
}
