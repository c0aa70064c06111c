namespace Dreambooth.Lab.Planning;

/// <summary>What a planned run trains.</summary>
public enum TrainingKind
{
    /// <summary>Nothing: pictures are only generated.</summary>
    None,

    /// <summary>A LoRA on frozen models.</summary>
    Lora,

    /// <summary>Every weight of the transformer, in float32 with AdamW; the lab does not do this, the figure is for comparison.</summary>
    Full,
}
