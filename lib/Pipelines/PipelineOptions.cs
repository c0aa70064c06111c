using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>Where and how a pipeline's models are loaded.</summary>
public sealed record PipelineOptions
{
    /// <summary>Where the models live. Default: the CPU.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>Element type of the transformer and the text encoders. Default: float32.</summary>
    public ScalarType Dtype { get; init; } = ScalarType.Float32;

    /// <summary>Element type of the autoencoder. Default: float32.</summary>
    public ScalarType VaeDtype { get; init; } = ScalarType.Float32;

    /// <summary>Whether the T5 encoder is loaded where the folder has one; without it zeros stand in its place.</summary>
    public bool WithT5 { get; init; } = true;

    /// <summary>A folder with <c>clip/</c> and <c>t5/</c> vocabularies for model folders that carry none; null for <c>LAB_TOKENIZERS</c>.</summary>
    public string? TokenizersFolder { get; init; }
}
