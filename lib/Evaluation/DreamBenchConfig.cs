using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.ImageEncoders;

namespace Dreambooth.Lab.Evaluation;

/// <summary>The settings of the field's benchmark; a property's flag is its name in snake case.</summary>
internal sealed record DreamBenchConfig
{
    private const string DataGroup = "Data set";
    private const string TrainingGroup = "Training";
    private const string PictureGroup = "Pictures";
    private const string JudgeGroup = "Judge";

    /// <summary>The options of this record with names, ranges and help.</summary>
    public static FlagSet<DreamBenchConfig> Flags { get; } = new();

    /// <summary>The data set. Required. Flag <c>--dataset</c>.</summary>
    [Flag(DataGroup, "Folder in the layout of the DreamBooth data set, with prompts_and_classes.txt.", Placeholder = "FOLDER")]
    public required string Dataset { get; init; }

    /// <summary>Names of subjects separated by commas; null: all. Flag <c>--subjects</c>.</summary>
    [Flag(DataGroup, "Only these subjects, separated by commas.", Placeholder = "NAMES", DefaultText = "all")]
    public string? Subjects { get; init; }

    /// <summary>
    /// The part of the subjects that this process takes, as 0/4, or auto; null: all. Flag <c>--shard</c>.
    /// </summary>
    [Flag(
        DataGroup, "Only the subjects of this part, such as 0/4: the first of four processes that share the output folder; "
        + Foundation.Shard.Help, Placeholder = "PART/PARTS", DefaultText = "all")]
    public string? Shard { get; init; }

    /// <summary>Prompts of each subject, from the top of its list; null: all. Flag <c>--max_prompts</c>.</summary>
    [Flag(DataGroup, "Prompts of each subject, from the top of its list.", Minimum = 1, DefaultText = "all")]
    public int? MaxPrompts { get; init; }

    /// <summary>The rare word that names the subject. Flag <c>--unique_token</c>.</summary>
    [Flag(DataGroup, "The rare word that names the subject.", Placeholder = "WORD")]
    public string UniqueToken { get; init; } = "sks";

    /// <summary>A recipe; null: the tutorial's for Stable Diffusion 3.5 medium. Flag <c>--config</c>.</summary>
    [Flag(
        TrainingGroup, "Recipe of each training; pictures, prompts and folders are the benchmark's.", Placeholder = "FILE",
        DefaultText = "the tutorial's, for Stable Diffusion 3.5 medium")]
    public string? Config { get; init; }

    /// <summary>The model; null: the recipe's. Flag <c>--pretrained_model_name_or_path</c>.</summary>
    [Flag(TrainingGroup, "The model: a folder, a file or owner/name on the hub.", Placeholder = "MODEL", DefaultText = "the recipe's")]
    public string? PretrainedModelNameOrPath { get; init; }

    /// <summary>Optimizer steps of each training; null: the recipe's. Flag <c>--max_train_steps</c>.</summary>
    [Flag(TrainingGroup, "Optimizer steps of each training.", Minimum = 1, DefaultText = "the recipe's")]
    public int? MaxTrainSteps { get; init; }

    /// <summary>Where to compute. Flag <c>--device</c>.</summary>
    [Flag(TrainingGroup, "Where to compute: auto (CUDA where there is one), cpu, cuda or cuda:N.", Placeholder = "DEVICE")]
    public string Device { get; init; } = "auto";

    /// <summary>Pictures of each prompt, the paper's 4. Flag <c>--seeds</c>.</summary>
    [Flag(PictureGroup, "Pictures of each prompt: seeds from 0 on.", Aliases = ["num_images"], Minimum = 1, Maximum = 1000)]
    public int Seeds { get; init; } = 4;

    /// <summary>Denoising steps. Flag <c>--num_steps</c>.</summary>
    [Flag(PictureGroup, "Denoising steps.", Aliases = ["num_inference_steps"], Minimum = 1, Maximum = 1000)]
    public int NumSteps { get; init; } = 28;

    /// <summary>Guidance. Flag <c>--guidance</c>.</summary>
    [Flag(PictureGroup, "Classifier-free guidance scale; up to 1 it is off.", Aliases = ["guidance_scale"], Minimum = 0)]
    public double Guidance { get; init; } = 7.0;

    /// <summary>Height in pixels; null: the model's own. Flag <c>--height</c>.</summary>
    [Flag(PictureGroup, "Height in pixels.", Minimum = 16, MultipleOf = 16, Maximum = 16_384, DefaultText = "the model's own")]
    public int? Height { get; init; }

    /// <summary>Width in pixels; null: the model's own. Flag <c>--width</c>.</summary>
    [Flag(PictureGroup, "Width in pixels.", Minimum = 16, MultipleOf = 16, Maximum = 16_384, DefaultText = "the model's own")]
    public int? Width { get; init; }

    /// <summary>The folder of LoRA, pictures and tables. Flag <c>--output_dir</c>.</summary>
    [Flag(PictureGroup, "Folder of LoRA, pictures and tables; started again, a run continues there.", Placeholder = "FOLDER")]
    public string OutputDir { get; init; } = "outputs/dreambench";

    /// <summary>DINO or DINOv2. Flag <c>--dino</c>.</summary>
    [Flag(
        JudgeGroup, "DINO or DINOv2, a folder or owner/name on the hub.", Placeholder = "MODEL",
        DefaultText = "the miniature's classifier for a data set that it painted")]
    public string? Dino { get; init; }

    /// <summary>CLIP. Flag <c>--clip</c>.</summary>
    [Flag(JudgeGroup, "CLIP, a folder or owner/name on the hub.", Placeholder = "MODEL", DefaultText = "none; goes with dino")]
    public string? Clip { get; init; }

    /// <summary>How pictures are prepared for the encoders. Flag <c>--protocol</c>.</summary>
    [Flag(JudgeGroup, "How pictures are prepared for the encoders: paper (as DINO's authors evaluate; the paper's "
        + "figures are compared with), or published (as each model's own processor says, evaluate's default).")]
    public ImageProtocol Protocol { get; init; } = ImageProtocol.Paper;

    /// <summary>Checks what can be checked without reading a file.</summary>
    /// <exception cref="LabException">Names every wrong option.</exception>
    public void Validate()
    {
        List<string> errors = [.. Flags.Check(this)];
        if (Foundation.Shard.Complaint(Shard) is { } complaint)
            errors.Add(complaint);
        if ((Dino is null) != (Clip is null))
            errors.Add("dino and clip go together: give both or none.");
        if (errors.Count > 0)
            throw new LabException(string.Join(" ", errors));
    }

    /// <summary>The subjects that this process takes.</summary>
    /// <param name="all">Those of the data set.</param>
    /// <exception cref="LabException">A name is none of them.</exception>
    public IReadOnlyList<DreamBenchSubject> Chosen(IReadOnlyList<DreamBenchSubject> all)
    {
        var asked = all;
        if (Subjects is not null)
        {
            var names = Subjects.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            if (names.FirstOrDefault(name => all.All(subject => subject.Name != name)) is { } unknown)
                throw new LabException(
                    $"{Dataset} has no subject '{ShownText.Line(unknown)}'. "
                    + NearestNames.Describe(unknown, [.. all.Select(subject => subject.Name)]));
            asked = [.. all.Where(subject => names.Contains(subject.Name))];
        }

        var shard = Foundation.Shard.Parse(Shard);
        return [.. asked.Where((_, index) => shard?.Has(index) != false).Select(subject => MaxPrompts is { } most
            ? subject with { Templates = [.. subject.Templates.Take(most)] } : subject)];
    }
}
