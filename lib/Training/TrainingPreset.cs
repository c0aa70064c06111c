using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Training;

/// <summary>
/// A training for a notebook to step through. Three presets share the same cells: <see cref="Tiny"/> for a check in seconds,
/// <see cref="Standard"/> for the miniature on two processor cores, <see cref="Full"/> for Stable Diffusion 3.5-medium on a GPU.
/// </summary>
public sealed record TrainingPreset
{
    private const string OwnModels = "models/";

    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>The whole configuration; paths are full ones.</summary>
    public required DreamBoothConfig Config { get; init; }

    /// <summary>The configuration with its paths as they are shown: relative to the project where they lie in it.</summary>
    public DreamBoothConfig ShownConfig => Config with
    {
        PretrainedModelNameOrPath = Path.IsPathRooted(Config.PretrainedModelNameOrPath) ? ProjectFolder.Near(Config.PretrainedModelNameOrPath) : Config.PretrainedModelNameOrPath,
        InstanceDataDir = ProjectFolder.Near(Config.InstanceDataDir),
        ClassDataDir = ProjectFolder.Near(Config.ClassDataDir!),
        OutputDir = ProjectFolder.Near(Config.OutputDir),
        LoraLayers = Config.LoraLayers?.Replace(",", ", ", StringComparison.Ordinal),
    };

    /// <summary>The folder of the classifier that reads pictures of this model; null where none does.</summary>
    public string? Classifier { get; init; }

    /// <summary>The step after which the notebook interrupts the training, to go on in memory: three eighths of all.</summary>
    public int InterruptAt => Math.Max(1, Steps * 3 / 8);

    /// <summary>The step after which the notebook drops the training, to go on from its newest checkpoint: two thirds of all.</summary>
    public int DropAt => Math.Max(InterruptAt, Steps * 2 / 3);

    /// <summary>Optimizer steps of the whole run.</summary>
    public int Steps => Config.MaxTrainSteps!.Value;

    /// <summary>The miniature with a few steps: shows that everything runs, not how well.</summary>
    public static TrainingPreset Tiny => Watched(nameof(Tiny), Recipe() with
    {
        OutputDir = "outputs/notebooks/02-train-a-lora-tiny",
        ClassDataDir = "outputs/notebooks/02-train-a-lora-tiny/class",
        NumClassImages = 2,
        TrainBatchSize = 2,
        MaxTrainSteps = 8,
        LrWarmupSteps = 2,
        NumValidationImages = 1,
        ValidationInferenceSteps = 4,
    }) with
    { Classifier = MiniaturesClassifier() };

    /// <summary>The recipe of the miniature, <c>data/recipes/gmc-cat.json</c>: minutes on two processor cores.</summary>
    public static TrainingPreset Standard => Watched(nameof(Standard), Recipe() with
    {
        OutputDir = "outputs/notebooks/02-train-a-lora",
        ClassDataDir = "outputs/notebooks/02-train-a-lora/class",
        NumValidationImages = 4,
        ValidationInferenceSteps = 14,
        ValidationGuidanceScale = 4,
    }) with
    { Classifier = MiniaturesClassifier() };

    /// <summary>The tutorial's run on Stable Diffusion 3.5-medium, on a GPU.</summary>
    public static TrainingPreset Full => Watched(nameof(Full), DreamBoothConfig.Sd35MediumTutorial with
    {
        PretrainedModelNameOrPath = OwnModels + "sd35m",
        MixedPrecision = MixedPrecision.Bf16,
        ClassDataDir = "outputs/sd3-lora/class",
        ValidationGuidanceScale = 7.5,
    });

    /// <summary>The preset of a name.</summary>
    /// <param name="name">Tiny, Standard or Full, in any case.</param>
    /// <exception cref="LabException">There is no such preset.</exception>
    public static TrainingPreset Named(string name) => NamedPreset.Find(name, (nameof(Tiny), () => Tiny), (nameof(Standard), () => Standard), (nameof(Full), () => Full));

    /// <summary>The same with some knobs turned; what is left empty or 0 stays. The classifier knows the preset's own model only.</summary>
    /// <param name="model">A model's folder, relative to the current folder or the project, or its name on the hub.</param>
    /// <param name="photos">A folder of pictures to learn from.</param>
    /// <param name="steps">Optimizer steps.</param>
    /// <param name="rank">Rank of the LoRA.</param>
    /// <param name="learningRate">The transformer's learning rate.</param>
    public TrainingPreset With(string model = "", string photos = "", int steps = 0, int rank = 0, double learningRate = 0)
    {
        var project = ProjectFolder.Find();
        var config = Config with
        {
            PretrainedModelNameOrPath = string.IsNullOrWhiteSpace(model) ? Config.PretrainedModelNameOrPath : Locate(model, project),
            InstanceDataDir = string.IsNullOrWhiteSpace(photos) ? Config.InstanceDataDir : ProjectFolder.Resolve(photos, project),
            MaxTrainSteps = steps > 0 ? steps : Config.MaxTrainSteps,
            Rank = rank > 0 ? rank : Config.Rank,
            LearningRate = learningRate > 0 ? learningRate : Config.LearningRate,
        };
        return Watched(Name, config) with { Classifier = config.PretrainedModelNameOrPath == Config.PretrainedModelNameOrPath ? Classifier : null };
    }

    private static DreamBoothConfig Recipe() =>
        DreamBoothConfig.Read(Path.Combine(ProjectFolder.Find(), "data", "recipes", "gmc-cat.json")) with { ValidationPrompt = "a photo of gmc cat on a beach" };

    private static string MiniaturesClassifier() => Path.Combine(ProjectFolder.Find(), "data", "sd3-mini-classifier");

    // What is not there may be a name on the hub; that of a folder in the project is not.
    private static string Locate(string model, string project)
    {
        var here = ProjectFolder.Resolve(model, project);
        return Path.Exists(here) || model.StartsWith(OwnModels, StringComparison.Ordinal) || !HubResolver.IsOnHub(model, out _, out _) ? here : model;
    }

    // Eight looks at the pictures and as many checkpoints, whatever the length.
    private static TrainingPreset Watched(string name, DreamBoothConfig config)
    {
        var project = ProjectFolder.Find();
        var steps = config.MaxTrainSteps!.Value;
        return new TrainingPreset
        {
            Name = name,
            Config = config with
            {
                PretrainedModelNameOrPath = Path.IsPathRooted(config.PretrainedModelNameOrPath) ? config.PretrainedModelNameOrPath : Locate(config.PretrainedModelNameOrPath, project),
                InstanceDataDir = ProjectFolder.Resolve(config.InstanceDataDir, project),
                ClassDataDir = Path.GetFullPath(config.ClassDataDir!, project),
                OutputDir = Path.GetFullPath(config.OutputDir, project),
                CheckpointingSteps = Math.Max(1, steps / 8),
                ValidationSteps = Math.Max(2, steps / 8),
                ValidationLossSteps = Math.Max(1, steps / 24),
            },
        };
    }
}
