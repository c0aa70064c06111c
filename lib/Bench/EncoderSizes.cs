using Dreambooth.Lab.Models.ImageEncoders;

namespace Dreambooth.Lab.Bench;

/// <summary>The two encoders that are timed.</summary>
/// <param name="Dino">The encoder of DINO's architecture.</param>
/// <param name="Clip">CLIP's image encoder.</param>
internal sealed record EncoderSizes(ViTConfig Dino, CLIPVisionConfig Clip)
{
    /// <summary>DINO ViT-S/16 and CLIP ViT-B/32, which DreamBooth's paper evaluates with.</summary>
    public static EncoderSizes Published { get; } = new(
        new() { ModelType = "vit", HiddenSize = 384, IntermediateSize = 1536, NumHiddenLayers = 12, NumAttentionHeads = 6 }, new());

    /// <summary>As small as can be.</summary>
    public static EncoderSizes Tiny { get; } = new(
        new() { ModelType = "vit", HiddenSize = 16, IntermediateSize = 32, NumHiddenLayers = 1, NumAttentionHeads = 2, ImageSize = 32 },
        new() { HiddenSize = 16, IntermediateSize = 32, NumHiddenLayers = 1, NumAttentionHeads = 2, ImageSize = 32, ProjectionDim = 16 });

    /// <summary>DINO's own processor: the whole picture becomes a square.</summary>
    public ImageProcessorConfig DinoProcessor => new()
    {
        Height = Dino.ImageSize,
        Width = Dino.ImageSize,
        Resample = Imaging.ResizeFilter.Bilinear,
        ImageMean = [0.485, 0.456, 0.406],
        ImageStd = [0.229, 0.224, 0.225],
    };

    /// <summary>CLIP's own: the shorter side, then the middle.</summary>
    public ImageProcessorConfig ClipProcessor => new()
    {
        ShortestEdge = Clip.ImageSize,
        Height = Clip.ImageSize,
        Width = Clip.ImageSize,
        Resample = Imaging.ResizeFilter.Bicubic,
        ImageMean = [0.48145466, 0.4578275, 0.40821073],
        ImageStd = [0.26862954, 0.26130258, 0.27577711],
    };
}
