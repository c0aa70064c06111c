using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Pipelines;

/// <summary>The configurations of a model whose single file has none of its own; those of the published folders.</summary>
public sealed record SingleFilePreset
{
    private const int Levels = 4;

    /// <summary>The model's name, for messages.</summary>
    public required string Name { get; init; }

    /// <summary>Sizes of the transformer, by which a file is recognised.</summary>
    public required SD3TransformerConfig Transformer { get; init; }

    /// <summary>Sizes of the autoencoder.</summary>
    public AutoencoderKLConfig Vae { get; init; } = new()
    {
        DownBlockTypes = [.. Enumerable.Repeat("DownEncoderBlock2D", Levels)],
        UpBlockTypes = [.. Enumerable.Repeat("UpDecoderBlock2D", Levels)],
        BlockOutChannels = [128, 256, 512, 512],
        LayersPerBlock = 2,
        LatentChannels = 16,
        SampleSize = 1024,
        ScalingFactor = 1.5305,
        ShiftFactor = 0.0609,
        UseQuantConv = false,
        UsePostQuantConv = false,
    };

    /// <summary>Sizes of the first CLIP encoder (ViT-L/14).</summary>
    public CLIPTextConfig Clip { get; init; } = new()
    {
        HiddenSize = 768,
        IntermediateSize = 3072,
        NumHiddenLayers = 12,
        NumAttentionHeads = 12,
        ProjectionDim = 768,
        HiddenAct = "quick_gelu",
        EosTokenId = 2,
    };

    /// <summary>Sizes of the second CLIP encoder (OpenCLIP ViT-bigG/14).</summary>
    public CLIPTextConfig Clip2 { get; init; } = new()
    {
        HiddenSize = 1280,
        IntermediateSize = 5120,
        NumHiddenLayers = 32,
        NumAttentionHeads = 20,
        ProjectionDim = 1280,
        HiddenAct = "gelu",
        EosTokenId = 2,
    };

    /// <summary>Sizes of T5 (1.1 XXL, the encoder).</summary>
    public T5Config T5 { get; init; } = new()
    {
        DModel = 4096,
        DKv = 64,
        DFf = 10240,
        NumLayers = 24,
        NumHeads = 64,
        FeedForwardProj = "gated-gelu",
    };

    /// <summary>The noise schedule.</summary>
    public FlowMatchEulerDiscreteSchedulerConfig Scheduler { get; init; } = new() { Shift = 3.0 };

    /// <summary>Stable Diffusion 3-medium.</summary>
    public static SingleFilePreset Sd3Medium { get; } = new()
    {
        Name = "Stable Diffusion 3-medium",
        Transformer = new()
        {
            NumLayers = 24,
            NumAttentionHeads = 24,
            CaptionProjectionDim = 1536,
            OutChannels = 16,
            PosEmbedMaxSize = 192,
        },
    };

    /// <summary>Stable Diffusion 3.5-medium.</summary>
    public static SingleFilePreset Sd35Medium { get; } = new()
    {
        Name = "Stable Diffusion 3.5-medium",
        Transformer = new()
        {
            NumLayers = 24,
            NumAttentionHeads = 24,
            CaptionProjectionDim = 1536,
            OutChannels = 16,
            PosEmbedMaxSize = 384,
            QkNorm = "rms_norm",
            DualAttentionLayers = [.. Enumerable.Range(0, 13)],
        },
    };

    /// <summary>Stable Diffusion 3.5-large.</summary>
    public static SingleFilePreset Sd35Large { get; } = new()
    {
        Name = "Stable Diffusion 3.5-large",
        Transformer = new()
        {
            NumLayers = 38,
            NumAttentionHeads = 38,
            CaptionProjectionDim = 2432,
            OutChannels = 16,
            PosEmbedMaxSize = 192,
            QkNorm = "rms_norm",
        },
    };

    /// <summary>The three published models.</summary>
    public static IReadOnlyList<SingleFilePreset> Published { get; } = [Sd3Medium, Sd35Medium, Sd35Large];

    /// <summary>The published model that a file holds, by its names and shapes; no weights are read.</summary>
    /// <param name="path">A safetensors file in the original layout, or the index of a sharded one.</param>
    /// <exception cref="Foundation.LabException">The file is malformed, or holds no published model.</exception>
    public static SingleFilePreset Recognise(string path)
    {
        using var file = Checkpoint.Open(path);
        return SingleFileModel.Recognise(file, Published);
    }
}
