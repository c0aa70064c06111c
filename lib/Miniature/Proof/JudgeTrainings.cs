using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>The three trainings that the judge is tried on; one that is finished is not repeated.</summary>
internal sealed class JudgeTrainings(JudgeProofOptions options)
{
    /// <summary>The recipe's training, with checkpoints.</summary>
    public string Prior => At("prior");

    /// <summary>The same without prior preservation.</summary>
    public string WithoutPrior => At("without-prior");

    /// <summary>The one made to copy: few photos, many steps, no prior preservation, a high and constant rate.</summary>
    public string Overtrained => At("overtrained");

    /// <summary>The photos of <see cref="Overtrained"/>.</summary>
    public string FewPhotos => At("few-photos");

    /// <summary>Trains what is missing.</summary>
    /// <exception cref="LabException">A folder is missing or damaged, or the recipe is not valid.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Run()
    {
        Train(options.Training with
        {
            CheckpointingSteps = options.CheckpointingSteps,
            ClassDataDir = At("class"),
            OutputDir = Prior,
        });
        var without = options.Training with { WithPriorPreservation = false, ClassDataDir = null, ClassPrompt = null };
        Train(without with { OutputDir = WithoutPrior });
        CopyFewPhotos();
        Train(without with
        {
            InstanceDataDir = FewPhotos,
            MaxTrainSteps = options.OvertrainedSteps,
            LearningRate = options.OvertrainedRate,
            LrScheduler = LearningRateScheduleKind.ConstantWithWarmup,
            OutputDir = Overtrained,
        });
    }

    private string At(string name) => Path.Combine(options.Output, name);

    private void Train(DreamBoothConfig config)
    {
        if (File.Exists(Path.Combine(config.OutputDir, LoraFile.DefaultName)))
            return;
        options.Log($"Training {Path.GetFileName(config.OutputDir)}");
        TrainingSession.Train(config, new TrainingEvents { OnStage = options.Log, OnWarning = options.Log }, options.Cancellation);
        options.Cancellation.ThrowIfCancellationRequested();
    }

    private void CopyFewPhotos()
    {
        Directory.CreateDirectory(FewPhotos);
        var photos = Directory.GetFiles(options.Training.InstanceDataDir, "*.png").Order(StringComparer.Ordinal).Take(options.FewPhotos);
        foreach (var photo in photos)
            File.Copy(photo, Path.Combine(FewPhotos, Path.GetFileName(photo)), overwrite: true);
    }
}
