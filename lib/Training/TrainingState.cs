using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary><c>training_state.json</c> of a checkpoint: the run's position and identity.</summary>
internal sealed record TrainingState
{
    public const string FileName = "training_state.json";

    // Options that change neither the training pictures nor a step's result. Pictures are compared by their content.
    private static readonly HashSet<string> Free =
    [
        nameof(DreamBoothConfig.Tokenizers), nameof(DreamBoothConfig.Components), nameof(DreamBoothConfig.InstanceDataDir),
        nameof(DreamBoothConfig.DatasetName), nameof(DreamBoothConfig.DatasetConfigName),
        nameof(DreamBoothConfig.ClassDataDir), nameof(DreamBoothConfig.Subjects), nameof(DreamBoothConfig.OnBadImage),
        nameof(DreamBoothConfig.SampleBatchSize), nameof(DreamBoothConfig.NumTrainEpochs), nameof(DreamBoothConfig.MaxTrainSteps),
        nameof(DreamBoothConfig.CacheDir), nameof(DreamBoothConfig.PriorGenerationPrecision),
        nameof(DreamBoothConfig.PriorGenerationSteps), nameof(DreamBoothConfig.PriorGenerationGuidance), nameof(DreamBoothConfig.LocalRank),
        nameof(DreamBoothConfig.PushToHub), nameof(DreamBoothConfig.HubModelId),
        nameof(DreamBoothConfig.Device), nameof(DreamBoothConfig.InitLora),
        nameof(DreamBoothConfig.GradientCheckpointing), nameof(DreamBoothConfig.CudaGraph), nameof(DreamBoothConfig.Memory),
        nameof(DreamBoothConfig.OutputDir), nameof(DreamBoothConfig.Export), nameof(DreamBoothConfig.ExportDtype),
        nameof(DreamBoothConfig.NoMetadata),
        nameof(DreamBoothConfig.OverwriteOutputDir), nameof(DreamBoothConfig.CheckpointingSteps),
        nameof(DreamBoothConfig.CheckpointsTotalLimit), nameof(DreamBoothConfig.ResumeFromCheckpoint),
        nameof(DreamBoothConfig.ValidationPrompt),
        nameof(DreamBoothConfig.NumValidationImages), nameof(DreamBoothConfig.ValidationEpochs), nameof(DreamBoothConfig.ValidationSteps),
        nameof(DreamBoothConfig.ValidationInferenceSteps), nameof(DreamBoothConfig.ValidationGuidanceScale),
        nameof(DreamBoothConfig.ValidationLossSteps),
        nameof(DreamBoothConfig.EvaluationSteps), nameof(DreamBoothConfig.EvaluationDino), nameof(DreamBoothConfig.EvaluationClip),
        nameof(DreamBoothConfig.EvaluationProtocol), nameof(DreamBoothConfig.ReportTo), nameof(DreamBoothConfig.LoggingDir),
        nameof(DreamBoothConfig.CacheLatents), nameof(DreamBoothConfig.LatentsCache), nameof(DreamBoothConfig.MaskDataDir),
        nameof(DreamBoothConfig.StopOnSpike), nameof(DreamBoothConfig.SpikeFactor), nameof(DreamBoothConfig.WatchSteps),
        nameof(DreamBoothConfig.WatchPrompt),
    ];

    /// <summary>
    /// Whether an option changes neither the training pictures nor a step's result, so that a resumed run may have another value.
    /// </summary>
    public static bool IsFree(Flag flag) => Free.Contains(flag.Property.Name);

    /// <summary>Optimizer steps done.</summary>
    public required int Step { get; init; }

    /// <summary>When it was written.</summary>
    public required DateTimeOffset WrittenAt { get; init; }

    /// <summary>
    /// When the training began that wrote it, see <see cref="TrainingCheckpoint.NextStart"/>; null in checkpoints of old.
    /// </summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Fingerprint of the pictures and prompts, see <see cref="DataFingerprint"/>.</summary>
    public required string DataSha256 { get; init; }

    /// <summary>The run's configuration with its seed, as a recipe.</summary>
    public required JsonNode Recipe { get; init; }

    /// <summary>Its file, for messages.</summary>
    [JsonIgnore]
    public string Source { get; init; } = FileName;

    public static TrainingState? Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        return File.Exists(path) ? JsonFile.Read<TrainingState>(path) with { Source = path } : null;
    }

    public static void Write(
        string folder, DreamBoothConfig config, int step, string dataSha256, DateTimeOffset startedAt) => JsonFile.Write(
        Path.Combine(folder, FileName),
        new TrainingState
        {
            Step = step,
            WrittenAt = DateTimeOffset.UtcNow,
            StartedAt = startedAt,
            DataSha256 = dataSha256,
            Recipe = JsonNode.Parse(config.ToJson())!,
        });

    public DreamBoothConfig Config() => DreamBoothConfig.FromJson(Recipe.ToJsonString(), Source);

    /// <summary>The options that differ in another configuration, one phrase each.</summary>
    public IReadOnlyList<string> Differences(DreamBoothConfig config)
    {
        var earlier = Config();
        return
        [
            .. from flag in DreamBoothConfig.Flags.All
               where !IsFree(flag)
               let before = Value(flag, earlier)
               let now = Value(flag, config)
               where before != now
               select $"{flag.Name} was {before} and is {now}",
        ];
    }

    // A model may be named by different paths.
    private static string Value(Flag flag, DreamBoothConfig config)
    {
        var value = flag.Property.GetValue(config);
        if (flag.Property.Name == nameof(DreamBoothConfig.PretrainedModelNameOrPath))
            value = Path.GetFileName(Path.TrimEndingDirectorySeparator(config.PretrainedModelNameOrPath));
        return value is null ? "not given" : Flag.Format(value);
    }
}
