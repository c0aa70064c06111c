using System.CommandLine;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary>The flags of <c>memory</c>: a recipe or the tutorial's settings, and what is changed of them.</summary>
internal sealed record MemoryFlags
{
    private const int CachedPictures = 48;
    private const string PlanGroup = "What is planned";
    private const string ReportGroup = "Report";

    // Those of the training, as train takes them.
    private static readonly Flag[] Training =
    [
        .. new[]
        {
            "resolution", "train_batch_size", "rank", "rank_pattern", "lora_variant", "mixed_precision", "gradient_checkpointing", "memory",
        }
            .Select(name => DreamBoothConfig.Flags.Find(name)!.WithDefault("the recipe's, or the tutorial's")),
    ];

    private IReadOnlyDictionary<Flag, object?> _changes = new Dictionary<Flag, object?>();
    private DreamBoothConfig? _recipe;

    /// <summary>The verb's own flags.</summary>
    public static FlagSet<MemoryFlags> Own { get; } = new();

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Flag> All { get; } =
        [.. Own.All.Where(flag => flag.Group == PlanGroup), .. Training, .. Own.All.Where(flag => flag.Group == ReportGroup)];

    /// <summary>A model folder. Flag <c>--model</c>.</summary>
    [Flag(PlanGroup, "A model folder; its configuration files are enough.", Placeholder = "FOLDER",
        DefaultText = "Stable Diffusion 3.5-medium, or the recipe's model where that is a folder")]
    public string? Model { get; init; }

    /// <summary>A recipe. Flag <c>--config</c>.</summary>
    [Flag(PlanGroup, "A recipe, as train takes it.", Placeholder = "FILE")]
    public string? Config { get; init; }

    /// <summary>Nothing is trained. Flag <c>--inference</c>.</summary>
    [Flag(PlanGroup, "Generating pictures only, nothing trained.")]
    public bool Inference { get; init; }

    /// <summary>T5 is freed once prompts are encoded. Flag <c>--free_t5</c>.</summary>
    [Flag(PlanGroup, "T5 is freed once prompts are encoded.")]
    public bool FreeT5 { get; init; }

    /// <summary>Pictures generated at a time. Flag <c>--num_images</c>.</summary>
    [Flag(PlanGroup, "Pictures generated at a time.", Minimum = 1, DefaultText = "1")]
    public int? NumImages { get; init; }

    /// <summary>Whether the transformer's products have 8 bits. Flag <c>--quantization</c>.</summary>
    [Flag(PlanGroup, "With --inference: the transformer's large products in 8 bits, as generate has it.")]
    public Quantization Quantization { get; init; }

    /// <summary>Side of generated pictures in pixels. Flag <c>--size</c>.</summary>
    [Flag(PlanGroup, "Side of generated pictures in pixels.", Minimum = 16, DefaultText = "the model's own")]
    public int? Size { get; init; }

    /// <summary>Steps to measure. Flag <c>--measure</c>.</summary>
    [Flag(ReportGroup, "Run the recipe for N steps and show measured beside predicted figures.", Minimum = 1,
        Placeholder = "STEPS", DefaultText = "nothing is run")]
    public int? Measure { get; init; }

    /// <summary>Whether the report is JSON. Flag <c>--json</c>.</summary>
    [Flag(ReportGroup, "Print the report as JSON; sizes in bytes.")]
    public bool Json { get; init; }

    /// <summary>The flags that a command line gives.</summary>
    /// <exception cref="UsageException">A value is none of its flag.</exception>
    public static MemoryFlags Read(FlagOptions options, ParseResult result)
    {
        var given = options.Read(result);
        var own = Own.Build(given.Where(entry => !Training.Contains(entry.Key)).ToDictionary());
        return own with
        {
            _changes = given.Where(entry => Training.Contains(entry.Key)).ToDictionary(),
            _recipe = own.Config is { } path ? ReadRecipe(path) : null,
        };
    }

    /// <summary>The model whose memory is planned.</summary>
    public ModelArchitecture Architecture()
    {
        var recipe = _recipe?.PretrainedModelNameOrPath;
        var folder = Model ?? (Directory.Exists(recipe) ? recipe : null);
        return folder is null ? ModelArchitecture.Sd35Medium : ModelArchitecture.Read(folder);
    }

    /// <summary>The run that is planned.</summary>
    /// <exception cref="UsageException">A value is out of range.</exception>
    public MemorySettings Settings()
    {
        var settings = Inference ? MemorySettings.TutorialInference
            : _recipe is { } recipe ? MemorySettings.Of(recipe, CachedPictures) : MemorySettings.TutorialTraining;
        var changed = DreamBoothConfig.Flags.Build(_changes);
        T Given<T>(string name, T value, T otherwise) => _changes.Keys.Any(flag => flag.Name == name) ? value : otherwise;
        var dtype = Given("mixed_precision", changed.ComputeDtype(), settings.Dtype);
        settings = settings with
        {
            Resolution = Given("resolution", changed.Resolution, settings.Resolution),
            TrainBatchSize = Given("train_batch_size", changed.TrainBatchSize, settings.TrainBatchSize),
            Rank = Given("rank", changed.Rank, settings.Rank),
            RankPattern = Given("rank_pattern", changed.RankPattern, settings.RankPattern),
            Variant = Given("lora_variant", changed.LoraVariant, settings.Variant),
            Dtype = dtype,
            VaeDtype = settings.Training == TrainingKind.None ? dtype : settings.VaeDtype,
            GradientCheckpointing = settings.GradientCheckpointing || changed.GradientCheckpointing,
            Memory = changed.Memory == MemoryMode.Auto ? settings.Memory : changed.Memory,
            FreeT5 = FreeT5,
            Quantization = Quantization,
            SampleBatchSize = NumImages ?? settings.SampleBatchSize,
            SampleResolution = Size ?? settings.SampleResolution,
        };
        return UsageErrors.In(() =>
        {
            settings.Validate();
            return settings;
        });
    }

    /// <summary>What the plan leaves out, a sentence; null for nothing.</summary>
    /// <param name="settings">The plan.</param>
    public string? LeftOut(MemorySettings settings) =>
        !Inference && _recipe is { } recipe && JudgeSize.IsAsked(recipe) && settings.Judge is null
        ? $"The encoders that score pictures are not counted: they are not on this machine yet. `hub download {recipe.EvaluationDino} "
            + $"--encoder` and `hub download {recipe.EvaluationClip} --encoder` bring them."
        : null;

    /// <summary>The training that <c>--measure</c> runs: the recipe with what is changed of it.</summary>
    /// <exception cref="UsageException">There is no recipe, or nothing is trained.</exception>
    public DreamBoothConfig MeasuredRecipe()
    {
        if (Inference)
            throw new UsageException("--measure runs a training; it does not go with --inference.");
        var recipe = _recipe ?? throw new UsageException("--measure needs --config: the recipe that is run.");
        var values = DreamBoothConfig.Flags.ReadJson(recipe.ToJson(), "recipe");
        foreach (var (flag, value) in _changes)
            values[DreamBoothConfig.Flags.Find(flag.Name)!] = value;
        return DreamBoothConfig.Flags.Build(values);
    }

    private static DreamBoothConfig ReadRecipe(string path) => File.Exists(path)
        ? DreamBoothConfig.Read(path)
        : throw new UsageException($"The recipe {path} does not exist.");
}
