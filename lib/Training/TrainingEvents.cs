using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Training;

/// <summary>What a caller sees of a training, its preparation included; every part may be left out.</summary>
public sealed record TrainingEvents
{
    /// <summary>Told what is being done, a sentence.</summary>
    public Action<string>? OnStage { get; init; }

    /// <summary>Told what there is to learn from before the first step, a line each: pictures, captions, class pictures, text that is cut.</summary>
    public Action<string>? OnSummary { get; init; }

    /// <summary>Told what is odd but no error, a sentence.</summary>
    public Action<string>? OnWarning { get; init; }

    /// <summary>Told how many items an epoch has, before a model is loaded: no batch has more.</summary>
    internal Action<int>? OnItems { get; init; }

    /// <summary>Picks the memory mode for the model in a folder or file, where the configuration leaves it to <see cref="MemoryMode.Auto"/>; null: fast.</summary>
    public Func<string, MemoryMode>? ChooseMemory { get; init; }

    /// <summary>Given the model in a folder or file and the memory mode, tells how many pictures fit at a time; null: as many as are worth it.</summary>
    internal Func<string, MemoryMode, int>? FitSamples { get; init; }

    /// <summary>Told how far the download of the model is, where it comes from the hub.</summary>
    public IProgress<HubProgress>? OnDownload { get; init; }

    /// <summary>Told how many of how many missing class pictures are made.</summary>
    public Action<int, int>? OnClassPicture { get; init; }

    /// <summary>Told how many of how many pictures are encoded.</summary>
    public Action<int, int>? OnEncoded { get; init; }

    /// <summary>Given the trainer before its first step.</summary>
    public Action<DreamBoothTrainer>? OnStart { get; init; }

    /// <summary>Called after each micro-batch with its losses, which waits for the device.</summary>
    public Action<MicroBatchRecord>? OnMicroBatch { get; init; }

    /// <summary>Called after each optimizer step with its figures.</summary>
    public Action<StepRecord>? OnStep { get; init; }

    /// <summary>Given each checkpoint once it is on disk.</summary>
    public Action<TrainingCheckpoint>? OnCheckpoint { get; init; }

    /// <summary>Given each validation picture with the step it was made after.</summary>
    public Action<int, RgbImage>? OnValidationPicture { get; init; }
}
