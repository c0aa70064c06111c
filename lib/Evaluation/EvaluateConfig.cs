using System.Globalization;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.ImageEncoders;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// All settings of one run of <c>evaluate</c>: folders of pictures, or a LoRA with its checkpoints, and who judges. Names are those of
/// <c>generate</c> and <c>train</c> where they have them.
/// </summary>
internal sealed record EvaluateConfig
{
    private const string PictureGroup = "What is evaluated";
    private const string SamplingGroup = "Sampling (with --lora)";
    private const string JudgeGroup = "Judge";
    private const string OutputGroup = "Output and device";

    /// <summary>The options of this record with names, ranges and help.</summary>
    public static FlagSet<EvaluateConfig> Flags { get; } = new();

    /// <summary>Folders of pictures; empty: pictures are generated with <see cref="Lora"/>. Flag <c>--pictures</c>.</summary>
    [Flag(
        PictureGroup, "Folders of pictures, such as generate writes. This or --model and --lora is needed.", Placeholder = "FOLDER",
        DefaultText = "none")]
    public IReadOnlyList<string> Pictures { get; init; } = [];

    /// <summary>The model of <see cref="Lora"/>. Flag <c>--pretrained_model_name_or_path</c>, <c>--model</c>.</summary>
    [Flag(PictureGroup, "The model of --lora: a folder, a file, or its name on the hub.", Aliases = ["model"], Placeholder = "MODEL")]
    public string? PretrainedModelNameOrPath { get; init; }

    /// <summary>The LoRA, or the folder of a training; its checkpoints are evaluated too. Flag <c>--lora</c>.</summary>
    [Flag(
        PictureGroup, "A LoRA, or the folder that train wrote: the checkpoint-N folders in it are evaluated too.", Aliases = ["lora_path"],
        Placeholder = "PATH")]
    public string? Lora { get; init; }

    /// <summary>Scales of the LoRA, separated by commas, default 0.6,0.8,1. Flag <c>--lora_scales</c>.</summary>
    [Flag(PictureGroup, "Scales of the LoRA, separated by commas.", Placeholder = "NUMBERS")]
    public string LoraScales { get; init; } = "0.6,0.8,1";

    /// <summary>Stages of the training at most, its end included, at least 1; null: all. Flag <c>--stages</c>.</summary>
    [Flag(PictureGroup, "Stages of the training at most, evenly spread, its end included.", Minimum = 1, DefaultText = "all")]
    public int? Stages { get; init; }

    /// <summary>A text file with one prompt per line, all with the identifier. Flag <c>--prompts_file</c>.</summary>
    [Flag(PictureGroup, "Text file with one prompt per line, each with the identifier.", Placeholder = "FILE")]
    public string? PromptsFile { get; init; }

    /// <summary>
    /// The class prompt, without the identifier: its pictures show drift; null: that of the training's recipe, if it has one. Flag
    /// <c>--class_prompt</c>.
    /// </summary>
    [Flag(
        PictureGroup, "The class prompt, without the identifier, such as \"a photo of a cat\": its pictures show drift.",
        DefaultText = "that of the training's recipe.json")]
    public string? ClassPrompt { get; init; }

    /// <summary>Pictures of each prompt, at least 1, default 4: seeds from <see cref="Seed"/> on. Flag <c>--seeds</c>.</summary>
    [Flag(SamplingGroup, "Pictures of each prompt; all prompts and LoRA have the same seeds.", Minimum = 1)]
    public int Seeds { get; init; } = 4;

    /// <summary>Pictures of the class prompt, at least 1, default 16, with seeds as above. Flag <c>--class_seeds</c>.</summary>
    [Flag(SamplingGroup, "Pictures of the class prompt; of fewer than 8 neither drift nor a leak is said.", Minimum = 1)]
    public int ClassSeeds { get; init; } = 16;

    /// <summary>The first seed, at least 0, default 0. Flag <c>--seed</c>.</summary>
    [Flag(SamplingGroup, "The first seed.", Minimum = 0)]
    public long Seed { get; init; }

    /// <summary>Denoising steps, 1 to 1000, default 28. Flag <c>--num_steps</c>.</summary>
    [Flag(SamplingGroup, "Denoising steps.", Aliases = ["num_inference_steps"], Minimum = 1, Maximum = 1000)]
    public int NumSteps { get; init; } = 28;

    /// <summary>Classifier-free guidance scale, at least 0, default 4; up to 1 it is off. Flag <c>--guidance</c>.</summary>
    [Flag(SamplingGroup, "Classifier-free guidance scale; up to 1 it is off.", Aliases = ["guidance_scale"], Minimum = 0)]
    public double Guidance { get; init; } = 4;

    /// <summary>Height in pixels, a multiple of 16; null: the model's own. Flag <c>--height</c>.</summary>
    [Flag(SamplingGroup, "Height in pixels.", Minimum = 16, MultipleOf = 16, DefaultText = "the model's own", Maximum = 16_384)]
    public int? Height { get; init; }

    /// <summary>Width in pixels, a multiple of 16; null: the model's own. Flag <c>--width</c>.</summary>
    [Flag(SamplingGroup, "Width in pixels.", Minimum = 16, MultipleOf = 16, DefaultText = "the model's own", Maximum = 16_384)]
    public int? Width { get; init; }

    /// <summary>Leave out of the pictures' files what they were made with, default false. Flag <c>--no_metadata</c>.</summary>
    [Flag(SamplingGroup, "Leave out of the pictures' files what they were made with; results.jsonl beside them tells it.")]
    public bool NoMetadata { get; init; }

    /// <summary>Pictures that are generated at a time, at least 1, default 4. Flag <c>--sample_batch_size</c>.</summary>
    [Flag(SamplingGroup, "Pictures that are generated at a time.", Minimum = 1)]
    public int SampleBatchSize { get; init; } = 4;

    /// <summary>A folder with <c>clip/</c> and <c>t5/</c> tokenizer files. Flag <c>--tokenizers</c>.</summary>
    [Flag(
        SamplingGroup, "Folder with clip/ and t5/ tokenizer files, used where the model folder has none.", Placeholder = "FOLDER",
        DefaultText = "LAB_TOKENIZERS")]
    public string? Tokenizers { get; init; }

    /// <summary>The folder of the subject's photos. Required. Flag <c>--instance_data_dir</c>.</summary>
    [Flag(JudgeGroup, "Folder of the subject's photos, at least 2.", Placeholder = "FOLDER")]
    public required string InstanceDataDir { get; init; }

    /// <summary>What to do with photos that cannot be used. Flag <c>--on_bad_image</c>.</summary>
    [Flag(JudgeGroup, "What to do with photos that cannot be used: refuse to start, or skip them.")]
    public BadImagePolicy OnBadImage { get; init; }

    /// <summary>
    /// The subjects of a model that has learned several, each as <c>gmc cat=FOLDER</c>; empty: one subject. Flag <c>--subject</c>.
    /// </summary>
    [Flag(
        JudgeGroup, "With several subjects, each identifier and its photos, such as \"gmc cat=data/cat_gmc\": pictures of every identifier "
        + "are compared with every subject's photos, by DINO.", Placeholder = "NAME=FOLDER", DefaultText = "none")]
    public IReadOnlyList<string> Subject { get; init; } = [];

    /// <summary>
    /// Who judges: auto (the miniature's classifier where model and photos are its own, else encoders), miniature, or encoders. Flag
    /// <c>--judge</c>.
    /// </summary>
    [Flag(
        JudgeGroup, "Who judges; auto: the miniature's classifier where model and photos are its own, else DINO and CLIP.",
        Choices = ["auto", "miniature", "encoders"])]
    public string Judge { get; init; } = "auto";

    /// <summary>DINO or DINOv2: a folder, or its name on the hub. Flag <c>--dino</c>.</summary>
    [Flag(JudgeGroup, "DINO or DINOv2: a folder, or its name on the hub.", Placeholder = "MODEL")]
    public string Dino { get; init; } = SubjectEncoders.DefaultDino;

    /// <summary>CLIP: a folder, or its name on the hub. Flag <c>--clip</c>.</summary>
    [Flag(JudgeGroup, "CLIP: a folder, or its name on the hub.", Placeholder = "MODEL")]
    public string Clip { get; init; } = SubjectEncoders.DefaultClip;

    /// <summary>How pictures are prepared for the encoders, default published. Flag <c>--protocol</c>.</summary>
    [Flag(
        JudgeGroup,
        "How pictures are prepared: published (as each model's own preprocessor_config.json says) or paper (DINO with the shorter side "
        + "at 256 and the middle 224). Figures of the two cannot be compared.")]
    public ImageProtocol Protocol { get; init; }

    /// <summary>The folder for pictures, figures and the page, default outputs/evaluation. Flag <c>--output_dir</c>.</summary>
    [Flag(OutputGroup, "Folder for pictures, figures and the page.", Aliases = ["outdir"], Placeholder = "FOLDER")]
    public string OutputDir { get; init; } = "outputs/evaluation";

    /// <summary>The part of the LoRA's pictures that this process generates, as 0/4, or auto; null: all. Flag <c>--shard</c>.</summary>
    [Flag(
        OutputGroup, "With --lora, generate only this part of the pictures, such as 0/4: the first of four processes that share the output "
        + "folder. The last of them scores all pictures. " + Foundation.Shard.Help, Placeholder = "PART/PARTS", DefaultText = "all")]
    public string? Shard { get; init; }

    /// <summary>Where to compute: auto (CUDA where there is one), cpu, cuda or cuda:N; default auto. Flag <c>--device</c>.</summary>
    [Flag(OutputGroup, "Where to compute: auto (CUDA where there is one), cpu, cuda or cuda:N.", Placeholder = "DEVICE")]
    public string Device { get; init; } = "auto";

    /// <summary>The precision: auto (bf16 on CUDA, else fp32), fp32, fp16 or bf16; default auto. Flag <c>--dtype</c>.</summary>
    [Flag(OutputGroup, "The precision to compute in; auto is bf16 on CUDA, else fp32.", Choices = ["auto", "fp32", "fp16", "bf16"])]
    public string Dtype { get; init; } = "auto";

    /// <summary>Whether pictures are generated; else those of <see cref="Pictures"/> are read.</summary>
    public bool Generates => Pictures.Count == 0;

    /// <summary>The scales as numbers.</summary>
    /// <exception cref="LabException"><see cref="LoraScales"/> is no list of numbers.</exception>
    public IReadOnlyList<double> Scales => Numbers(LoraScales) ?? throw new LabException(ScalesError);

    private string ScalesError => $"lora_scales is '{ShownText.Line(LoraScales)}'; valid is a list of different numbers such as 0.6,0.8,1.";

    /// <summary>Checks everything that can be checked without reading a file.</summary>
    /// <exception cref="LabException">At least one option is wrong; the message names every one of them.</exception>
    public void Validate()
    {
        List<string> errors = [.. Flags.Check(this)];
        if (Pictures.Any(string.IsNullOrWhiteSpace))
            errors.Add("pictures has an empty path.");
        if (Pictures.Count > 0 && Lora is not null)
            errors.Add("pictures and lora are both given: evaluate either folders of pictures, or a LoRA.");
        if (Pictures.Count == 0 && (PretrainedModelNameOrPath is null || Lora is null || PromptsFile is null))
            errors.Add("Nothing is named to evaluate: pictures is needed, or model, lora and prompts_file.");
        if (Numbers(LoraScales) is null)
            errors.Add(ScalesError);
        if (Subject.Count > 0 && Judge == "miniature")
            errors.Add("subject is compared by DINO, which the miniature's classifier is not: it does not go with judge miniature.");
        if (Subject.Count > 0 && SubjectBleed.Complaint(Subject) is { } complaint)
            errors.Add(complaint);
        if (Foundation.Shard.Complaint(Shard) is { } wrongShard)
            errors.Add(wrongShard);
        if (Shard is not null && Pictures.Count > 0)
            errors.Add("shard divides the pictures that are generated with lora; those that are there are scored by one process.");
        if (string.IsNullOrWhiteSpace(OutputDir))
            errors.Add("output_dir is empty; it must name a folder.");
        if (errors.Count > 0)
            throw new LabException("The options of evaluate are not valid. " + string.Join(" ", errors));
    }

    private static double[]? Numbers(string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        double[] numbers = [.. parts.Select(part =>
            double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.NaN)];
        return numbers.Length > 0 && numbers.All(double.IsFinite) && numbers.Distinct().Count() == numbers.Length ? numbers : null;
    }
}
