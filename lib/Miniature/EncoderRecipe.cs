using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Models.TextEncoders;

namespace Dreambooth.Lab.Miniature;

/// <summary>Sizes of the small image encoders and how they are trained.</summary>
internal sealed record EncoderRecipe
{
    /// <summary>Side of the pictures that the encoders see, in pixels. Default 48.</summary>
    public int ImageSize { get; init; } = 48;

    /// <summary>Side of the pictures that are trained on, in pixels; what the encoders see is cut from them. Default 64.</summary>
    public int PaintedSize { get; init; } = 64;

    /// <summary>Side of a patch, in pixels. Default 8.</summary>
    public int PatchSize { get; init; } = 8;

    /// <summary>Width of the tokens, and of CLIP's common space. Default 64.</summary>
    public int Width { get; init; } = 64;

    /// <summary>Width inside feed-forwards. Default 128.</summary>
    public int InnerWidth { get; init; } = 128;

    /// <summary>Attention heads. Default 4.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Layers of both image encoders. Default 3.</summary>
    public int Layers { get; init; } = 3;

    /// <summary>Layers of the text encoder. Default 2.</summary>
    public int TextLayers { get; init; } = 2;

    /// <summary>Pictures in a step; a multiple of 4. Default 96.</summary>
    public int BatchSize { get; init; } = 96;

    /// <summary>The largest learning rate of AdamW. Default 2e-3.</summary>
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Decoupled weight decay. Default 0.02.</summary>
    public double WeightDecay { get; init; } = 0.02;

    /// <summary>Steps over which the rate rises. Default 100.</summary>
    public int WarmupSteps { get; init; } = 100;

    /// <summary>Longest gradient. Default 1.</summary>
    public double MaxGradNorm { get; init; } = 1;

    /// <summary>Decay of the averaged weights. Default 0.99.</summary>
    public double EmaDecay { get; init; } = 0.99;

    /// <summary>What cosines of two pictures are divided by in the loss. Default 0.1.</summary>
    public double ImageTemperature { get; init; } = 0.1;

    /// <summary>What cosines of picture and text are divided by; the file's <c>logit_scale</c> is −ln of it. Default 0.05.</summary>
    public double TextTemperature { get; init; } = 0.05;

    /// <summary>
    /// What part of a picture's partners is another view of the same picture; the rest is another picture of the same individual.
    /// With 1 it would be plain instance discrimination; a third would count all partners alike. Default 0.5.
    /// </summary>
    public double SamePicture { get; init; } = 0.5;

    /// <summary>Cats with marks of their own that are painted to train on. Default 640.</summary>
    public int MarkedCats { get; init; } = 640;

    /// <summary>Pictures of each individual. Default 12.</summary>
    public int PicturesEach { get; init; } = 12;

    /// <summary>Individuals never trained on that are measured, each of whose pictures is to find the other. Default 200.</summary>
    public int HeldOutIndividuals { get; init; } = 200;

    /// <summary>Captions of combinations never trained on that are measured. Default 512.</summary>
    public int HeldOutCaptions { get; init; } = 512;

    /// <summary>The encoder in DINO's place.</summary>
    public ViTConfig Vit => new()
    {
        ModelType = "vit",
        HiddenSize = Width,
        IntermediateSize = InnerWidth,
        NumHiddenLayers = Layers,
        NumAttentionHeads = Heads,
        ImageSize = ImageSize,
        PatchSize = PatchSize,
        LayerNormEps = 1e-12,
    };

    /// <summary>CLIP's image encoder.</summary>
    public CLIPVisionConfig ClipVision => new()
    {
        HiddenSize = Width,
        IntermediateSize = InnerWidth,
        ProjectionDim = Width,
        NumHiddenLayers = Layers,
        NumAttentionHeads = Heads,
        ImageSize = ImageSize,
        PatchSize = PatchSize,
    };

    /// <summary>CLIP's text encoder.</summary>
    /// <param name="vocabulary">Number of token ids; the last one ends a text.</param>
    /// <param name="window">Longest text, in tokens.</param>
    public CLIPTextConfig ClipText(int vocabulary, int window) => new()
    {
        VocabSize = vocabulary,
        EosTokenId = vocabulary - 1,
        HiddenSize = Width,
        IntermediateSize = InnerWidth,
        ProjectionDim = Width,
        NumHiddenLayers = TextLayers,
        NumAttentionHeads = Heads,
        MaxPositionEmbeddings = window,
    };

    /// <summary>Pixels −1 … 1 of a whole picture, as ViT's processor makes them.</summary>
    /// <param name="size">Their side.</param>
    public static ImageProcessorConfig VitProcessor(int size) => new()
    {
        Height = size,
        Width = size,
        Resample = Imaging.ResizeFilter.Bilinear,
        ImageMean = [0.5, 0.5, 0.5],
        ImageStd = [0.5, 0.5, 0.5],
    };

    /// <summary>Pixels −1 … 1 of a picture's middle square, as CLIP's processor makes them.</summary>
    /// <param name="size">Their side.</param>
    public static ImageProcessorConfig ClipProcessor(int size) =>
        VitProcessor(size) with { ShortestEdge = size, Resample = Imaging.ResizeFilter.Bicubic };
}
