using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Lessons;

/// <summary>The training of notebook 02, and where the notebook interrupts it. <see cref="NotebookPreset.Training"/> makes it.</summary>
public sealed record TrainingLesson
{
    /// <summary>The whole configuration; paths are absolute.</summary>
    public required DreamBoothConfig Config { get; init; }

    /// <summary>What each of the notebook's parameters came to, and whether it is the preset's.</summary>
    public required IReadOnlyList<(string Parameter, string Value)> Parameters { get; init; }

    /// <summary>The configuration with its paths as they are shown: relative to the project where they lie in it.</summary>
    public DreamBoothConfig ShownConfig => Config with
    {
        PretrainedModelNameOrPath = LessonViews.Near(Config.PretrainedModelNameOrPath),
        InstanceDataDir = ProjectFolder.Near(Config.InstanceDataDir),
        ClassDataDir = ProjectFolder.Near(Config.ClassDataDir!),
        OutputDir = ProjectFolder.Near(Config.OutputDir),
        LoraLayers = Config.LoraLayers?.Replace(",", ", ", StringComparison.Ordinal),
    };

    /// <summary>Optimizer steps of the whole run.</summary>
    public int Steps => Config.MaxTrainSteps!.Value;

    /// <summary>The step after which the notebook interrupts the training and continues it in memory: three eighths of all.</summary>
    public int InterruptAt => Math.Max(1, Steps * 3 / 8);

    /// <summary>The step after which the notebook drops the training and resumes from its newest checkpoint: two thirds of all.</summary>
    public int DropAt => Math.Max(InterruptAt, Steps * 2 / 3);

    internal static TrainingLesson Of(NotebookPreset preset, int steps, int rank, double learningRate)
    {
        var recipe = preset.Recipe();
        var config = preset.Size switch
        {
            PresetSize.Tiny => recipe with
            {
                OutputDir = "outputs/notebooks/02-train-a-lora-tiny",
                ValidationPrompt = "a photo of gmc cat on a beach",
                NumClassImages = 2,
                TrainBatchSize = 2,
                MaxTrainSteps = 8,
                LrWarmupSteps = 2,
                NumValidationImages = 1,
                ValidationInferenceSteps = 4,
            },
            PresetSize.Standard => recipe with
            {
                OutputDir = "outputs/notebooks/02-train-a-lora",
                ValidationPrompt = "a photo of gmc cat on a beach",
                NumValidationImages = 4,
                ValidationInferenceSteps = 14,
                ValidationGuidanceScale = 4,
            },
            _ => recipe with { ValidationGuidanceScale = 7.5 },
        };
        var output = Path.GetFullPath(config.OutputDir, ProjectFolder.Find());
        config = config with
        {
            OutputDir = output,
            ClassDataDir = Path.Combine(output, "class"),
            MaxTrainSteps = steps > 0 ? steps : config.MaxTrainSteps,
            Rank = rank > 0 ? rank : config.Rank,
            LearningRate = learningRate > 0 ? learningRate : config.LearningRate,
        };
        string Said(FormattableString value, bool given) => FormattableString.Invariant(value) + (given ? string.Empty : ", the preset's");
        return new TrainingLesson
        {
            Config = Watched(config),
            Parameters =
            [
                ("steps", Said($"{config.MaxTrainSteps}", steps > 0)),
                ("rank", Said($"{config.Rank}", rank > 0)),
                ("learning rate", Said($"{config.LearningRate}", learningRate > 0)),
            ],
        };
    }

    // Four validations in the size that is trained, two of them watched, and eight checkpoints, whatever the length.
    private static DreamBoothConfig Watched(DreamBoothConfig config)
    {
        var steps = config.MaxTrainSteps!.Value;
        return config with
        {
            CheckpointingSteps = Math.Max(1, steps / 8),
            ValidationSteps = Math.Max(2, steps / 4),
            ValidationResolution = config.Resolution,
            ValidationLossSteps = Math.Max(1, steps / 12),
            WatchSteps = Math.Max(2, steps / 2),
            WatchPrompt = config.ValidationPrompt!.Replace(" gmc ", " a ", StringComparison.Ordinal),
        };
    }
}
