using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Training;

/// <summary>
/// All settings of one DreamBooth LoRA training run. Names and defaults are those of the reference script (diffusers,
/// <c>examples/dreambooth/train_dreambooth_lora_sd3.py</c>, commit 58eb52c); a property's flag is its name in snake case. The same names
/// are the keys of a recipe file.
/// </summary>
public sealed partial record DreamBoothConfig
{
    /// <summary>The options of this record with names, ranges and help.</summary>
    public static FlagSet<DreamBoothConfig> Flags { get; } = new();

    /// <summary>
    /// The tutorial's full-size recipe for Stable Diffusion 3.5 medium: rank 4 on the transformer and both CLIP encoders, 756 steps
    /// of 4 accumulated pictures at 512 pixels, prior preservation with 24 class pictures. The same as
    /// <c>data/recipes/sd35-medium-tutorial.json</c>.
    /// </summary>
    public static DreamBoothConfig Sd35MediumTutorial { get; } = new()
    {
        PretrainedModelNameOrPath = "stabilityai/stable-diffusion-3.5-medium",
        InstanceDataDir = "data/cat_gmc",
        InstancePrompt = "a photo of gmc cat",
        WithPriorPreservation = true,
        PriorLossWeight = 0.05,
        ClassDataDir = "data/cat_class",
        ClassPrompt = "a photo of a cat, full body, natural light",
        NumClassImages = 24,
        OutputDir = "outputs/sd3-lora",
        ValidationPrompt = "a photo of gmc cat walking in the forest",
        ValidationEpochs = 25,
        Resolution = 512,
        TrainTextEncoder = true,
        TrainBatchSize = 1,
        GradientAccumulationSteps = 4,
        LearningRate = 5e-4,
        TextEncoderLr = 1e-4,
        LrScheduler = LearningRateScheduleKind.ConstantWithWarmup,
        LrWarmupSteps = 100,
        MaxTrainSteps = 756,
        Rank = 4,
        Seed = 0,
    };

    private const int ManyValidationImages = 64;

    /// <summary>Checks everything that can be checked without reading a file.</summary>
    /// <exception cref="LabException">At least one option is wrong; the message names every one of them.</exception>
    public void Validate()
    {
        List<string> errors =
        [
            .. Flags.Check(this), .. CrossErrors(),
            .. PromptText.Complaints(
                ("instance_prompt", InstancePrompt), ("class_prompt", ClassPrompt), ("validation_prompt", ValidationPrompt),
                ("watch_prompt", WatchPrompt)),
        ];
        if (errors.Count > 0)
            throw new LabException("The training configuration is not valid. " + string.Join(" ", errors));
    }

    /// <summary>What is valid but probably unintended: options that have no effect together with the others.</summary>
    /// <returns>One sentence each, empty when there is nothing to say.</returns>
    public IReadOnlyList<string> Notices()
    {
        var notices = new List<string>();
        notices.AddRange(PriorNotices());
        if (!TrainTextEncoder && TextEncoderLr != Default<double>(nameof(TextEncoderLr)))
            notices.Add("text_encoder_lr has no effect without train_text_encoder: the CLIP encoders are not trained.");
        if (LrScheduler == LearningRateScheduleKind.Constant && LrWarmupSteps != Default<int>(nameof(LrWarmupSteps)))
            notices.Add("lr_warmup_steps has no effect with lr_scheduler constant; constant_with_warmup warms up.");
        notices.AddRange(WithoutEffect(
            LrScheduler == LearningRateScheduleKind.CosineWithRestarts, "lr_scheduler cosine_with_restarts", nameof(LrNumCycles)));
        notices.AddRange(WithoutEffect(LrScheduler == LearningRateScheduleKind.Polynomial, "lr_scheduler polynomial", nameof(LrPower)));
        if (MaxTrainSteps is { } steps && WarmUpNotice(steps, "max_train_steps") is { } warmUp)
            notices.Add(warmUp);
        if (ValidationPrompt is not null && NumValidationImages > ManyValidationImages)
            notices.Add($"num_validation_images is {NumValidationImages}: each validation generates that many before training continues.");
        if (SampleBatchSize > StableDiffusion3Pipeline.WorthAtATime && (UsesClassPictures || ValidationPrompt is not null))
        {
            notices.Add(
                $"sample_batch_size is {SampleBatchSize}: {StableDiffusion3Pipeline.WorthAtATime} pictures are generated at a time, since "
                + "more are no faster.");
        }

        notices.AddRange(WithoutEffect(
            ValidationPrompt is not null, "validation_prompt", nameof(ValidationEpochs), nameof(ValidationSteps),
            nameof(ValidationInferenceSteps), nameof(ValidationGuidanceScale)));
        if (EvaluationSteps is null && WatchSteps is null && EvaluationDino is not null)
            notices.Add("evaluation_dino and evaluation_clip have no effect without evaluation_steps or watch_steps.");
        notices.AddRange(TrainingExports.Notices(this));
        notices.AddRange(SubjectNotices());
        notices.AddRange(WithoutEffect(DatasetName is not null, "dataset_name", nameof(DatasetConfigName)));
        notices.AddRange(OptimizerNotices());
        notices.AddRange(EmaNotices());
        notices.AddRange(ReferenceNotices());
        notices.AddRange(ObjectiveNotices());
        notices.AddRange(WatchNotices());
        notices.AddRange(SizeNotices());
        return notices;
    }

    /// <summary>A warning where the warm-up leaves no step at the full rate; else null.</summary>
    /// <param name="steps">Optimizer steps of the run.</param>
    /// <param name="what">What tells them.</param>
    internal string? WarmUpNotice(int steps, string what) => LrScheduler != LearningRateScheduleKind.Constant && LrWarmupSteps >= steps
        ? $"lr_warmup_steps ({LrWarmupSteps}) is not below {what} ({steps}): the full learning rate is never reached."
        : null;

    /// <summary>A warning where no batch can be as large as requested; else null.</summary>
    /// <param name="items">Pictures of an epoch, repeats counted.</param>
    internal string? BatchNotice(int items) => items < TrainBatchSize && TrainBatchSize != Default<int>(nameof(TrainBatchSize))
        ? $"train_batch_size is {TrainBatchSize}, and an epoch has {items} pictures, repeats counted: batches of {items} are trained."
        : null;

    /// <summary>Writes every option by its flag name, as <c>train --config</c> reads it.</summary>
    public string ToJson() => Flags.ToJson(this);

    /// <summary>
    /// Reads a recipe: a JSON object with flag names as keys. Options that are not named keep their defaults; nothing is validated.
    /// </summary>
    /// <param name="json">The text of the recipe.</param>
    /// <param name="source">Where it comes from, for error messages.</param>
    /// <param name="warn">Receives one sentence for each flag that is known but not acted on.</param>
    /// <exception cref="LabException">Not JSON, an unknown name (with the nearest valid ones) or a wrong value.</exception>
    public static DreamBoothConfig FromJson(string json, string source = "recipe", Action<string>? warn = null) =>
        Flags.Build(Flags.ReadJson(json, source, name => UnusedFlags.Accept(name, warn)));

    /// <summary>Reads a recipe's file, as <see cref="FromJson"/> reads its text.</summary>
    /// <param name="path">The file.</param>
    /// <param name="warn">Receives one sentence for each flag that is known but not acted on.</param>
    /// <exception cref="LabException">The file cannot be read, is not JSON, or has an unknown name or a wrong value.</exception>
    public static DreamBoothConfig Read(string path, Action<string>? warn = null) =>
        Flags.Build(Flags.Read(JsonField.ReadFile(path, "recipe"), name => UnusedFlags.Accept(name, warn)));

    private static T Default<T>(string property) => (T)Flags.All.Single(flag => flag.Property.Name == property).DefaultValue!;

    private IEnumerable<string> WithoutEffect(bool acts, string condition, params string[] properties) => acts ? []
        : Flags.All.Where(flag => properties.Contains(flag.Property.Name) && !Equals(flag.Property.GetValue(this), flag.DefaultValue))
            .Select(flag => $"{flag.Name} has no effect without {condition}.");

    private IEnumerable<string> CrossErrors()
    {
        if (string.IsNullOrWhiteSpace(OutputDir))
            yield return "output_dir is empty; it must name a folder.";
        if (LrScheduler == LearningRateScheduleKind.PiecewiseConstant)
            yield return "lr_scheduler is piecewise_constant, whose step rules no flag can give; choose another, such as "
                + "constant_with_warmup.";
        if (LoraBlocks is not null && NumberList.Parse(LoraBlocks) is null)
            yield return $"lora_blocks is '{ShownText.Line(LoraBlocks)}'; valid is a list of block numbers from 0, such as 12,30.";
        IEnumerable<string>[] ofParts =
        [
            SubjectErrors(), DatasetErrors(), PriorErrors(), EvaluationErrors(), WatchErrors(), StartErrors(), ReferenceErrors(),
            TrainingExports.Errors(this), SizeErrors(),
        ];
        foreach (var error in ofParts.SelectMany(errors => errors))
            yield return error;
        Action[] parts =
        [
            () => TimestepSamplingParts().Validate(), () => ElementLoss().Validate(), CheckOptimizer, CheckEma,
            () => LearningRateSchedule(1).Validate(), CheckLora,
        ];
        foreach (var error in parts.Select(Complaint).OfType<string>())
            yield return error;
        if (!double.IsFinite(ScaledLearningRate()))
        {
            yield return $"learning_rate is {LearningRate}, which scale_lr multiplies by gradient_accumulation_steps "
                + $"({GradientAccumulationSteps}) and train_batch_size ({TrainBatchSize}): that is more than a number can be.";
        }

        if (LoraLayers is not null && Split(LoraLayers).Count == 0)
            yield return $"lora_layers is '{ShownText.Line(LoraLayers)}'; valid is a list of module names, such as attn.to_q,attn.to_k.";
    }

    // What these lists lack is told by their own checks.
    private void CheckLora() => (this with { LoraLayers = null, LoraBlocks = null }).TransformerLora().Validate();

    private static string? Complaint(Action check)
    {
        try
        {
            check();
            return null;
        }
        catch (LabException error)
        {
            return error.Message;
        }
    }
}
