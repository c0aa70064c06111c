using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Schedulers;

namespace Dreambooth.Lab.Miniature;

/// <summary>Everything that determines the miniature model but the length of its training: sizes, losses, rates and seeds.</summary>
internal sealed record MiniatureRecipe
{
    /// <summary>Side of the pictures, in pixels.</summary>
    public int PictureSize { get; init; } = 128;

    /// <summary>Window of each tokenizer, in tokens.</summary>
    public int TextWindow { get; init; } = 32;

    /// <summary>Seed of the initial weights.</summary>
    public ulong InitSeed { get; init; } = 20_26;

    /// <summary>Seed of the first painted picture to train on; each later one adds 1.</summary>
    public ulong FirstDrawing { get; init; } = 1_000_000;

    /// <summary>Seed of the first painted picture of a combination that training never sees; each later one adds 1.</summary>
    public ulong FirstHeldOutDrawing { get; init; } = 900_000_000;

    /// <summary>Sizes of the autoencoder; its shift and scale are measured after its training.</summary>
    public AutoencoderKLConfig Vae { get; init; } = new()
    {
        BlockOutChannels = [64, 96, 128, 160],
        DownBlockTypes = ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
        UpBlockTypes = ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"],
        LayersPerBlock = 1,
        LatentChannels = 32,
        NormNumGroups = 8,
        SampleSize = 128,
        UseQuantConv = false,
        UsePostQuantConv = false,
    };

    /// <summary>
    /// Sizes of the transformer: Stable Diffusion 3.5-medium's plan, but with patches of one latent place, as small as eyes.
    /// </summary>
    public SD3TransformerConfig Transformer { get; init; } = new()
    {
        SampleSize = 16,
        PatchSize = 1,
        InChannels = 32,
        NumLayers = 6,
        AttentionHeadDim = 24,
        NumAttentionHeads = 6,
        CaptionProjectionDim = 144,
        JointAttentionDim = 144,
        PooledProjectionDim = 128,
        PosEmbedMaxSize = 32,
        DualAttentionLayers = [0, 1],
        QkNorm = "rms_norm",
        OutChannels = 32,
    };

    /// <summary>Sizes of the first CLIP encoder; the vocabulary's are set when the tokenizers are known.</summary>
    public CLIPTextConfig Clip { get; init; } = new()
    {
        HiddenSize = 64,
        IntermediateSize = 256,
        ProjectionDim = 64,
        NumHiddenLayers = 3,
        NumAttentionHeads = 2,
        MaxPositionEmbeddings = 32,
        HiddenAct = "quick_gelu",
    };

    /// <summary>Sizes of the second CLIP encoder.</summary>
    public CLIPTextConfig Clip2 { get; init; } = new()
    {
        HiddenSize = 64,
        IntermediateSize = 256,
        ProjectionDim = 64,
        NumHiddenLayers = 3,
        NumAttentionHeads = 4,
        MaxPositionEmbeddings = 32,
        HiddenAct = "gelu",
    };

    /// <summary>Sizes of the T5 encoder.</summary>
    public T5Config T5 { get; init; } = new()
    {
        DModel = 144,
        DKv = 32,
        DFf = 256,
        NumLayers = 2,
        NumHeads = 4,
        FeedForwardProj = "gated-gelu",
        RelativeAttentionNumBuckets = 32,
        RelativeAttentionMaxDistance = 32,
    };

    /// <summary>The noise schedule; the published shift of 3 is for 1024 pixels, latents of 16×16 lose their plan at lower noise.</summary>
    public FlowMatchEulerDiscreteSchedulerConfig Scheduler { get; init; } = new() { Shift = 2.0 };

    /// <summary>How the autoencoder is trained.</summary>
    public VaeRecipe VaeTraining { get; init; } = new();

    /// <summary>How text encoders and transformer are trained.</summary>
    public DiffusionRecipe DiffusionTraining { get; init; } = new();

    /// <summary>How the attribute classifier is trained.</summary>
    public ClassifierRecipe ClassifierTraining { get; init; } = new();

    /// <summary>The small image encoders of the judge's proof and how they are trained.</summary>
    public EncoderRecipe Encoders { get; init; } = new();

    /// <summary>A recipe of the same kind small enough for a test: a run takes seconds on one core.</summary>
    public static MiniatureRecipe Tiny { get; } = new()
    {
        PictureSize = 64,
        Vae = new MiniatureRecipe().Vae with { BlockOutChannels = [8, 8, 8, 8], NormNumGroups = 4, SampleSize = 64 },
        Transformer = new MiniatureRecipe().Transformer with
        {
            SampleSize = 8,
            NumLayers = 3,
            NumAttentionHeads = 2,
            CaptionProjectionDim = 48,
            JointAttentionDim = 40,
            PooledProjectionDim = 32,
            DualAttentionLayers = [0],
        },
        Clip = new MiniatureRecipe().Clip with { HiddenSize = 16, IntermediateSize = 32, ProjectionDim = 16 },
        Clip2 = new MiniatureRecipe().Clip2 with { HiddenSize = 16, IntermediateSize = 32, ProjectionDim = 16 },
        T5 = new MiniatureRecipe().T5 with { DModel = 40, DKv = 8, DFf = 32, NumHeads = 2 },
        VaeTraining = new() { BatchSize = 4, HeldOut = 8, MinimumPictures = 16 },
        DiffusionTraining = new()
        {
            BatchSize = 8,
            HeldOut = 8,
            CaptionsPerPicture = 2,
            EncodeBatch = 16,
            PicturesInSheet = 2,
            SheetSteps = 2,
        },
        ClassifierTraining = new() { BatchSize = 8, HeldOut = 16, Width = 8, CharacterPictures = 8 },
        Encoders = new()
        {
            ImageSize = 32,
            PaintedSize = 40,
            Width = 16,
            InnerWidth = 32,
            Heads = 2,
            Layers = 2,
            TextLayers = 1,
            BatchSize = 16,
            LearningRate = 5e-3,
            WarmupSteps = 2,
            MarkedCats = 6,
            PicturesEach = 2,
            HeldOutIndividuals = 6,
            HeldOutCaptions = 8,
        },
    };

    /// <summary>What the captioned picture of a seed shows.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="split">Which combinations may be drawn.</param>
    public WorldSpec CaptionedSpec(ulong seed, CombinationSplit split) =>
        WorldSampler.Draw(seed, split, DiffusionTraining.PatternsInArt);

    /// <summary>Name in a pool of captioned pictures by consecutive seeds.</summary>
    /// <param name="what">What is painted of them.</param>
    /// <param name="split">Which combinations.</param>
    /// <param name="firstSeed">Seed of the first.</param>
    public string CaptionedPool(string what, CombinationSplit split, ulong firstSeed) =>
        $"{what}-{(DiffusionTraining.PatternsInArt ? "patterned" : "plain")}-{split}-{firstSeed}";

    /// <summary>Checks what the parts need of each other.</summary>
    /// <exception cref="LabException">Names every mismatch.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        if (Transformer.SampleSize * Vae.SpatialFactor != PictureSize)
            errors.Add($"the transformer's sample_size {Transformer.SampleSize} × {Vae.SpatialFactor} is not the picture's {PictureSize}");
        if (Transformer.InChannels != Vae.LatentChannels)
            errors.Add($"the transformer has {Transformer.InChannels} channels, the latents {Vae.LatentChannels}");
        if (Transformer.CaptionProjectionDim != Transformer.InnerDim)
            errors.Add($"caption_projection_dim is {Transformer.CaptionProjectionDim} instead of {Transformer.InnerDim}");
        if (T5.DModel != Transformer.JointAttentionDim || Clip.HiddenSize + Clip2.HiddenSize > T5.DModel)
            errors.Add(
                $"joint_attention_dim {Transformer.JointAttentionDim} must equal T5's d_model {T5.DModel} and hold both CLIP widths "
                + $"({Clip.HiddenSize} + {Clip2.HiddenSize})");
        if (Clip.ProjectionDim + Clip2.ProjectionDim != Transformer.PooledProjectionDim)
            errors.Add(
                $"pooled_projection_dim is {Transformer.PooledProjectionDim} instead of {Clip.ProjectionDim} + {Clip2.ProjectionDim}");
        if (Clip.MaxPositionEmbeddings < TextWindow || Clip2.MaxPositionEmbeddings < TextWindow)
            errors.Add($"a CLIP encoder's max_position_embeddings is below the window of {TextWindow}");
        if (errors.Count > 0)
            throw new LabException($"The miniature's recipe is wrong: {string.Join("; ", errors)}.");
    }
}
