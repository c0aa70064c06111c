using Dreambooth.Lab.Data;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <content>What the trainer's parts take from the configuration.</content>
public sealed partial record DreamBoothConfig
{
    /// <summary>How timesteps are drawn.</summary>
    public TimestepDensity TimestepDensity() =>
        new() { Scheme = WeightingScheme, LogitMean = LogitMean, LogitStd = LogitStd, ModeScale = ModeScale };

    /// <summary>The learning rate schedule.</summary>
    /// <param name="steps">Optimizer steps of the run.</param>
    public LearningRateSchedule LearningRateSchedule(int steps) =>
        new() { Kind = LrScheduler, WarmupSteps = LrWarmupSteps, TrainingSteps = steps, NumCycles = LrNumCycles, Power = LrPower };

    /// <summary>
    /// The transformer's learning rate after the warm-up: <see cref="LearningRate"/>, with <see cref="ScaleLr"/> times accumulation
    /// steps and batch size (one process). As in the reference, the CLIP encoders' rate is never scaled.
    /// </summary>
    public double ScaledLearningRate() => ScaleLr ? LearningRate * GradientAccumulationSteps * TrainBatchSize : LearningRate;

    /// <summary>The pictures and captions to learn from; a seed that is not chosen yet counts as 0.</summary>
    public DreamBoothDatasetOptions DatasetOptions() => DatasetOptions(null);

    /// <summary>The same with another file of subjects, where there are several; null for the flag's.</summary>
    internal DreamBoothDatasetOptions DatasetOptions(string? subjects) => new()
    {
        InstanceDataDir = InstanceDataDir,
        InstancePrompt = InstancePrompt,
        Resolution = Resolution,
        AspectBuckets = AspectBuckets,
        BucketStep = BucketStep,
        MoreResolutions = MoreResolutionList ?? [],
        Mask = Mask,
        MaskDataDir = MaskDataDir,
        CenterCrop = CenterCrop,
        RandomFlip = RandomFlip,
        Repeats = Repeats,
        ImageColumn = ImageColumn,
        CaptionColumn = CaptionColumn,
        ClassDataDir = UsesClassPictures ? ClassDataDir : null,
        ClassPrompt = UsesClassPictures ? ClassPrompt : null,
        NumClassImages = UsesClassPictures ? NumClassImages : null,
        OnBadImage = OnBadImage,
        Subjects = ReadSubjects(subjects),
        CaptionDropout = CaptionDropout,
        AugmentEachEpoch = AugmentEachEpoch,
        AlphaColor = AlphaColor,
        Seed = (ulong)(Seed ?? 0),
    };

    /// <summary>
    /// Puts a trainable LoRA on the models that are trained: a new one, or that of <see cref="InitLora"/>; a seed that is not chosen yet
    /// counts as 0.
    /// </summary>
    /// <param name="pipeline">The models.</param>
    public LoraAdapter CreateAdapter(StableDiffusion3Pipeline pipeline) =>
        InitialLora.Take(this, null).CreateAdapter(pipeline, InitLora, null);

    /// <summary>The same with another file to begin with, or null for a new LoRA.</summary>
    /// <param name="pipeline">The models.</param>
    /// <param name="file">The LoRA to begin with, or null.</param>
    /// <param name="warn">Told what is odd about the file; or null.</param>
    internal LoraAdapter CreateAdapter(StableDiffusion3Pipeline pipeline, string? file, Action<string>? warn)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        // The magnitudes of DoRA begin as those of the weights.
        using var held = TrainTextEncoder && LoraVariant == LoraVariant.Dora ? pipeline.Prompts.Hold() : null;
        var (seed, device) = ((ulong)(Seed ?? 0), pipeline.Options.Device);
        if (file is null)
            return LoraAdapter.Create("default", Trained(pipeline), seed, device, ScalarType.Float32);
        var (adapter, report) = LoraStart.Create(file, "default", [.. Trained(pipeline)], seed, device);
        foreach (var warning in report.Warnings)
            warn?.Invoke(warning);
        return adapter;
    }

    /// <summary>Checks that the adapter will find the layers that are named.</summary>
    /// <param name="pipeline">The models.</param>
    /// <param name="file">The LoRA to begin with, or null.</param>
    /// <exception cref="Foundation.LabException">A model has no such layer or block.</exception>
    internal void CheckAdapter(StableDiffusion3Pipeline pipeline, string? file)
    {
        if (file is null)
            LoraAdapter.Check(Trained(pipeline));
        else
            LoraStart.Check(file, [.. Trained(pipeline)]);
    }

    private IEnumerable<(LoraComponent Component, LoraConfig Config)> Trained(StableDiffusion3Pipeline pipeline) =>
        pipeline.LoraComponents.Where(component => TrainTextEncoder || component.Prefix == "transformer")
            .Select(component => (component, component.Prefix == "transformer" ? TransformerLora() : TextEncoderLora()));

    /// <summary>
    /// The configuration as changed by a memory mode: <see cref="MemoryMode.Low"/> turns on gradient checkpointing, which its own flag may
    /// have done already.
    /// </summary>
    /// <param name="mode">The pipeline's mode; the configuration's own counts as well.</param>
    public DreamBoothConfig For(MemoryMode mode) =>
        this with { GradientCheckpointing = GradientCheckpointing || mode == MemoryMode.Low || Memory == MemoryMode.Low };

    /// <summary>The transformer's LoRA.</summary>
    public LoraConfig TransformerLora() =>
        LoraOn(LoraLayerNames ?? LoraConfig.TransformerTargets) with { Blocks = LoraBlockNumbers };

    /// <summary>Element type of the frozen transformer and text encoders.</summary>
    public ScalarType ComputeDtype() => MixedPrecision switch
    {
        MixedPrecision.Bf16 => ScalarType.BFloat16,
        MixedPrecision.Fp16 => ScalarType.Float16,
        _ => ScalarType.Float32,
    };

    /// <summary>The CLIP encoders' LoRA.</summary>
    public LoraConfig TextEncoderLora() => LoraOn(LoraConfig.TextEncoderTargets);

    private LoraConfig LoraOn(IReadOnlyList<string> layers) => new()
    {
        Rank = Rank,
        LoraAlpha = LoraAlpha,
        RankPattern = RankPattern,
        AlphaPattern = AlphaPattern,
        Variant = LoraVariant,
        UseRslora = UseRslora,
        LoraDropout = LoraDropout,
        LoraBias = LoraBias,
        TargetModules = layers,
    };
}
