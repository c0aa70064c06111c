using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Planning;

/// <summary>
/// The settings that determine how much memory a run needs. Names are those of the training configuration and of the reference's flags.
/// </summary>
public sealed record MemorySettings
{
    /// <summary>
    /// Generation as the tutorial's inference script does it: float32, one picture of 1024 pixels at a time, nothing trained.
    /// </summary>
    public static MemorySettings TutorialInference { get; } = new() { Training = TrainingKind.None, MaxSequenceLength = 256 };

    /// <summary>
    /// The tutorial's LoRA training: float32, 512 pixels, one instance and one class picture, rank 4, both CLIP encoders too.
    /// </summary>
    public static MemorySettings TutorialTraining { get; } = new();

    /// <summary>What is trained. Default: a LoRA.</summary>
    public TrainingKind Training { get; init; } = TrainingKind.Lora;

    /// <summary>Side of the training pictures in pixels, a multiple of 16. Default 512.</summary>
    public int Resolution { get; init; } = 512;

    /// <summary>Instance pictures per micro-batch, 1 or more. Default 1.</summary>
    public int TrainBatchSize { get; init; } = 1;

    /// <summary>Whether each instance picture comes with a class picture, which doubles the rows. Default true.</summary>
    public bool WithPriorPreservation { get; init; } = true;

    /// <summary>Rank of the LoRA, 1 or more. Default 4.</summary>
    public int Rank { get; init; } = 4;

    /// <summary>Ranks of single layers, as <see cref="LoraConfig.RankPattern"/>; null for none.</summary>
    public string? RankPattern { get; init; }

    /// <summary>What the LoRA's updates are. Default: plain LoRA.</summary>
    public LoraVariant Variant { get; init; } = LoraVariant.Lora;

    /// <summary>Whether each update has a bias of its own.</summary>
    public bool LoraBias { get; init; }

    /// <summary>The probability with which the LoRA's inputs are left out.</summary>
    public double LoraDropout { get; init; }

    /// <summary>Ends of module paths of the transformer that get LoRA; null for the joint attention's projections.</summary>
    public IReadOnlyList<string>? TargetModules { get; init; }

    /// <summary>Indices of the transformer blocks that get LoRA; null for all.</summary>
    public IReadOnlyList<int>? TargetBlocks { get; init; }

    /// <summary>Whether the CLIP encoders get LoRA too. Default true.</summary>
    public bool TrainTextEncoder { get; init; } = true;

    /// <summary>
    /// Element type of weights and compute: Float32, BFloat16 or Float16. The LoRA and the optimizer stay in float32. Default Float32.
    /// </summary>
    public ScalarType Dtype { get; init; } = ScalarType.Float32;

    /// <summary>Element type of the autoencoder. Default Float32.</summary>
    public ScalarType VaeDtype { get; init; } = ScalarType.Float32;

    /// <summary>Whether the transformer's large products have 8 bits; for generation only. Default: no.</summary>
    public Quantization Quantization { get; init; }

    /// <summary>Whether activations are recomputed in the backward pass instead of kept. Default false.</summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>Whether T5 is loaded at all; generation can do without it (<c>generate --without_t5</c>). Default true.</summary>
    public bool WithT5 { get; init; } = true;

    /// <summary>Whether T5, whose rows are cached, is freed before training. Default false.</summary>
    public bool FreeT5 { get; init; }

    /// <summary>
    /// Whether the autoencoder, whose latents are cached, is freed before training; then no validation picture is generated. Default false.
    /// </summary>
    public bool FreeVae { get; init; }

    /// <summary>Pictures whose latents are cached, instance and class together. Default 48.</summary>
    public int CachedPictures { get; init; } = 48;

    /// <summary>Whether instance pictures are encoded in every step. Default false.</summary>
    internal bool AugmentEachEpoch { get; init; }

    /// <summary>T5's rows per prompt, 1 to 512. Default 77.</summary>
    public int MaxSequenceLength { get; init; } = 77;

    /// <summary>Side of generated pictures in pixels; null for the model's own.</summary>
    public int? SampleResolution { get; init; }

    /// <summary>Pictures generated at a time, 1 or more. Default 1.</summary>
    public int SampleBatchSize { get; init; } = 1;

    /// <summary>
    /// Which parts of the models are in memory at a time; <see cref="MemoryMode.Auto"/> counts as fast. Default: everything.
    /// </summary>
    public MemoryMode Memory { get; init; } = MemoryMode.Fast;

    /// <summary>
    /// Whether generation loads the transformer's blocks one by one, where nothing is trained and the mode is <see cref="MemoryMode.Low"/>.
    /// Default false.
    /// </summary>
    public bool StreamTransformer { get; init; }

    /// <summary>How many of the transformer's blocks stay where it loads the others, 0 or more. Default 0.</summary>
    internal int ResidentBlocks { get; init; }

    /// <summary>The optimizer. Default AdamW.</summary>
    internal OptimizerMemory Optimizer { get; init; } = new();

    /// <summary>The encoders that score validation pictures; null for none.</summary>
    internal JudgeSize? Judge { get; init; }

    /// <summary>
    /// Whether the backward pass computes activations again: by its own flag, or as a part of <see cref="MemoryMode.Low"/>.
    /// </summary>
    public bool UsesCheckpointing => GradientCheckpointing || Memory == MemoryMode.Low;

    /// <summary>A pipeline's options with the mode of this run.</summary>
    internal PipelineOptions Apply(PipelineOptions options) =>
        options with { Memory = Memory, StreamTransformer = StreamTransformer, ResidentBlocks = ResidentBlocks };

    /// <summary>Whether text encoders and autoencoder are in memory only while they are used.</summary>
    internal bool OnDemand => Memory is MemoryMode.Balanced or MemoryMode.Low;

    /// <summary>Whether the autoencoder encodes pictures in every step.</summary>
    internal bool EncodesInSteps => AugmentEachEpoch && Training != TrainingKind.None;

    /// <summary>Whether the transformer's blocks are loaded one by one.</summary>
    internal bool StreamsBlocks => StreamTransformer && OnDemand && Training == TrainingKind.None;

    /// <summary>Prompts for which the model without the LoRA is the teacher: the instance rows once more for each.</summary>
    internal int PreservedPrompts { get; init; }

    /// <summary>Rows of a micro-batch: instance and class pictures, and instance pictures with the teacher's prompts.</summary>
    public int Rows => TrainBatchSize * ((WithPriorPreservation ? 2 : 1) + PreservedPrompts);

    /// <summary>The transformer's LoRA.</summary>
    internal LoraConfig TransformerLora => TextEncoderLora with
    {
        TargetModules = TargetModules ?? LoraConfig.TransformerTargets,
        Blocks = TargetBlocks,
    };

    /// <summary>The CLIP encoders' LoRA.</summary>
    internal LoraConfig TextEncoderLora => new()
    {
        Rank = Rank,
        RankPattern = RankPattern,
        Variant = Variant,
        LoraBias = LoraBias,
        LoraDropout = LoraDropout,
        TargetModules = LoraConfig.TextEncoderTargets,
    };

    /// <summary>What a training configuration asks of memory, with validation pictures of the model's own size.</summary>
    /// <param name="config">The training.</param>
    /// <param name="pictures">Instance and class pictures whose latents are cached.</param>
    /// <exception cref="LabException">A file of an encoder that scores is missing or not valid.</exception>
    public static MemorySettings Of(DreamBoothConfig config, int pictures)
    {
        ArgumentNullException.ThrowIfNull(config);
        config = InitialLora.Planned(config);
        return new MemorySettings
        {
            Resolution = config.Resolutions.Max(),
            TrainBatchSize = config.TrainBatchSize,
            WithPriorPreservation = config.UsesClassPictures,
            PreservedPrompts = config.PreservedPrompts.Count,
            Rank = config.Rank,
            RankPattern = config.RankPattern,
            Variant = config.LoraVariant,
            LoraBias = config.LoraBias,
            LoraDropout = config.LoraDropout,
            TargetModules = config.LoraLayerNames,
            TargetBlocks = config.LoraBlockNumbers,
            TrainTextEncoder = config.TrainTextEncoder,
            Dtype = config.ComputeDtype(),
            GradientCheckpointing = config.GradientCheckpointing,
            Memory = config.Memory == MemoryMode.Auto ? MemoryMode.Fast : config.Memory,
            AugmentEachEpoch = config.AugmentEachEpoch,
            CachedPictures = pictures * config.Resolutions.Count,
            MaxSequenceLength = config.MaxSequenceLength,
            Optimizer = config.OptimizerMemory,
            Judge = JudgeSize.Find(config),
        };
    }

    // Beyond any machine; up to here sums of bytes can be counted.
    private const int LargestSide = 16_384;
    private const int LargestCount = 65_536;

    /// <summary>Checks the values.</summary>
    /// <exception cref="LabException">Says every value that is out of range.</exception>
    public void Validate()
    {
        List<string> errors = [];
        void Need(bool right, string text)
        {
            if (!right)
                errors.Add(text);
        }

        Need(Resolution is >= 16 and <= LargestSide && Resolution % 16 == 0,
            $"resolution is {Resolution}; a multiple of 16, at most {LargestSide}, is valid");
        Need(SampleResolution is null or (>= 16 and <= LargestSide),
            $"the size of generated pictures is {SampleResolution}; 16 to {LargestSide} is valid");
        Need(TrainBatchSize is >= 1 and <= LargestCount, $"train_batch_size is {TrainBatchSize}; 1 to {LargestCount} is valid");
        Need(SampleBatchSize is >= 1 and <= LargestCount,
            $"the number of pictures generated at a time is {SampleBatchSize}; 1 to {LargestCount} is valid");
        Need(Rank is >= 1 and <= LargestCount, $"rank is {Rank}; 1 to {LargestCount} is valid");
        try
        {
            _ = new LoraLayerRanks(TransformerLora);
        }
        catch (LabException error)
        {
            errors.Add(error.Message.TrimEnd('.'));
        }

        Need(MaxSequenceLength is >= 1 and <= 512, $"max_sequence_length is {MaxSequenceLength}; 1 to 512 is valid");
        Need(
            Quantization == Quantization.None || Training == TrainingKind.None,
            "quantization is fp8, which is for generation; a training holds its frozen weights whole");
        Need(CachedPictures >= 0, $"there are {CachedPictures} cached pictures; 0 or more is valid");
        Need(
            Dtype is ScalarType.Float32 or ScalarType.BFloat16 or ScalarType.Float16,
            $"the precision is {Dtype}; Float32, BFloat16 and Float16 are valid");
        if (errors.Count > 0)
            throw new LabException($"The memory of this run cannot be planned: {string.Join("; ", errors)}.");
    }
}
