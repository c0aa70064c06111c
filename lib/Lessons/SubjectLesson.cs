using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Lessons;

/// <summary>The training of one's own subject that notebook 07 steps through. <see cref="NotebookPreset.OwnSubject"/> makes it.</summary>
public sealed record SubjectLesson
{
    /// <summary>The original photos; an absolute path.</summary>
    public required string Photos { get; init; }

    /// <summary>The training; paths are full ones. It learns from <see cref="Prepared"/>.</summary>
    public required DreamBoothConfig Config { get; init; }

    /// <summary>Pictures of the subject to generate when the training is done.</summary>
    public required GenerationRequest Sample { get; init; }

    /// <summary>The folder of the photos that are trained on, with their captions.</summary>
    public string Prepared => Path.Combine(Config.OutputDir, "photos");

    internal static SubjectLesson Of(NotebookPreset preset, string identifier, string kind, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        ArgumentException.ThrowIfNullOrWhiteSpace(identifier);
        ArgumentException.ThrowIfNullOrWhiteSpace(kind);
        var output = Path.GetFullPath(preset.OutputFolder("07-your-own-subject"), ProjectFolder.Find());
        var recipe = preset.Recipe() with
        {
            InstanceDataDir = Path.Combine(output, "photos"),
            ClassDataDir = Path.Combine(output, "class"),
            OutputDir = output,
            InstancePrompt = $"a photo of {identifier} {kind}",
            ClassPrompt = $"a photo of a {kind}",
            ValidationPrompt = $"a photo of {identifier} {kind} on a beach",
        };
        var config = preset.Size switch
        {
            PresetSize.Tiny => recipe with
            {
                MaxTrainSteps = 2,
                NumClassImages = 1,
                TrainBatchSize = 1,
                LrWarmupSteps = 0,
                NumValidationImages = 1,
                ValidationInferenceSteps = 2,
            },
            // Half a minute on two processor cores, and a subject that begins to show.
            PresetSize.Standard => recipe with
            {
                MaxTrainSteps = 90,
                NumClassImages = 8,
                LrWarmupSteps = 5,
                NumValidationImages = 2,
                ValidationInferenceSteps = 14,
                ValidationGuidanceScale = preset.Study.Guidance,
            },
            _ => recipe with { ValidationGuidanceScale = preset.Study.Guidance },
        };
        config = Watched(identifier, steps > 0 ? config with { MaxTrainSteps = steps } : config);
        return new SubjectLesson
        {
            Photos = preset.Photos,
            Config = config,
            Sample = new GenerationRequest
            {
                Prompts =
                [
                    config.InstancePrompt,
                    $"{config.InstancePrompt} on a beach",
                    $"{config.InstancePrompt} in the snow",
                    config.ClassPrompt!,
                ],
                NumInferenceSteps = preset.Study.Steps,
                GuidanceScale = preset.Study.Guidance,
                Seed = 2,
            },
        };
    }

    // Three checkpoints on the way, each with pictures to judge it by.
    private static DreamBoothConfig Watched(string identifier, DreamBoothConfig config)
    {
        var interval = Math.Max(1, config.MaxTrainSteps!.Value / 3);
        return config with
        {
            CheckpointingSteps = interval,
            ValidationSteps = Math.Max(2, interval),
            WatchSteps = Math.Max(2, interval),
            WatchPrompt = config.ValidationPrompt!.Replace($" {identifier} ", " a ", StringComparison.Ordinal),
            ValidationResolution = config.Resolution,
        };
    }
}
