using Dreambooth.Lab.Data;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Training;

/// <summary>The events of a training, including its preparation; every handler is optional.</summary>
public sealed record TrainingEvents
{
    /// <summary>Receives what is being done, as a sentence.</summary>
    public Action<string>? OnStage { get; init; }

    /// <summary>
    /// Receives what the run trains on before the first step, line by line: pictures, captions, class pictures, text that is cut.
    /// </summary>
    public Action<string>? OnSummary { get; init; }

    /// <summary>Receives warnings, one sentence each.</summary>
    public Action<string>? OnWarning { get; init; }

    /// <summary>Receives the micro-batches of an epoch, before a model is loaded.</summary>
    internal Action<BatchSampler>? OnBatches { get; init; }

    /// <summary>
    /// Picks the memory mode for the model in a folder or file, where the configuration leaves it to <see cref="MemoryMode.Auto"/>; null:
    /// fast.
    /// </summary>
    public Func<string, MemoryMode>? ChooseMemory { get; init; }

    /// <summary>
    /// Given the model in a folder or file and the memory mode, returns how many pictures fit at a time; null: the largest useful batch.
    /// </summary>
    internal Func<string, MemoryMode, int>? FitSamples { get; init; }

    /// <summary>
    /// Opens what scores validation pictures, before the model is loaded; the training frees it. Needed with
    /// <see cref="DreamBoothConfig.EvaluationSteps"/>.
    /// </summary>
    public Func<DreamBoothConfig, IPictureJudge>? OpenJudge { get; init; }

    /// <summary>Receives the progress of the model's download from the hub.</summary>
    public IProgress<HubProgress>? OnDownload { get; init; }

    /// <summary>Receives how many of the missing class pictures are generated.</summary>
    public Action<int, int>? OnClassPicture { get; init; }

    /// <summary>Receives how many pictures are encoded.</summary>
    public Action<int, int>? OnEncoded { get; init; }

    /// <summary>Receives the trainer before its first step.</summary>
    public Action<DreamBoothTrainer>? OnStart { get; init; }

    /// <summary>Called after each micro-batch with its losses, which waits for the device.</summary>
    public Action<MicroBatchRecord>? OnMicroBatch { get; init; }

    /// <summary>Called after each optimizer step with its figures.</summary>
    public Action<StepRecord>? OnStep { get; init; }

    /// <summary>Receives each checkpoint once it is on disk.</summary>
    public Action<TrainingCheckpoint>? OnCheckpoint { get; init; }

    /// <summary>Receives each validation picture with its step.</summary>
    public Action<int, RgbImage>? OnValidationPicture { get; init; }

    /// <summary>Receives each picture without the identifier with its step (<see cref="DreamBoothConfig.WatchSteps"/>).</summary>
    public Action<int, RgbImage>? OnPictureWithout { get; init; }
}
