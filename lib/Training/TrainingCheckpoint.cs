using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Training;

/// <summary>
/// A folder <c>checkpoint-N</c> in a run's output folder: the LoRA after N optimizer steps as <c>pytorch_lora_weights.safetensors</c>, and what
/// is needed to go on from there as if the run had not stopped (<c>optimizer.safetensors</c>, <c>training_state.json</c>). Names and moments
/// in time are those of the reference script; its own checkpoints hold other files.
/// </summary>
public sealed class TrainingCheckpoint
{
    /// <summary>The value of <c>--resume_from_checkpoint</c> that means the newest one.</summary>
    public const string Latest = "latest";

    private const string OptimizerName = "optimizer.safetensors";

    private readonly Lazy<TrainingState?> _state;

    private TrainingCheckpoint(string folder, int step)
    {
        (Folder, Step) = (folder, step);
        _state = new(() => TrainingState.Read(folder));
    }

    /// <summary>The folder; usable wherever a LoRA is asked for.</summary>
    public string Folder { get; }

    /// <summary>Optimizer steps done.</summary>
    public int Step { get; }

    /// <summary>What the run was at that step; null where the folder holds a LoRA alone.</summary>
    internal TrainingState? State => _state.Value;

    /// <summary>The checkpoints of a run.</summary>
    /// <param name="outputDir">The run's output folder; may be missing.</param>
    /// <returns>By step; empty when there are none.</returns>
    public static IReadOnlyList<TrainingCheckpoint> List(string outputDir)
    {
        ArgumentException.ThrowIfNullOrEmpty(outputDir);
        return [.. LoraCheckpoints.List(outputDir).Select(found => new TrainingCheckpoint(found.Folder, found.Step))];
    }

    /// <summary>Finds the checkpoint that a configuration asks to go on from.</summary>
    /// <param name="config">Says which: a folder, the name of one in the output folder, or <see cref="Latest"/>.</param>
    /// <param name="warn">Told where <see cref="Latest"/> finds none; the run then starts afresh, as the reference does.</param>
    /// <returns>Null to start afresh.</returns>
    /// <exception cref="LabException">There is no such checkpoint, or it lacks what is needed to go on.</exception>
    public static TrainingCheckpoint? Find(DreamBoothConfig config, Action<string>? warn = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.ResumeFromCheckpoint is not { } asked)
            return null;
        var there = List(config.OutputDir);
        if (asked == Latest)
        {
            var newest = there.Where(checkpoint => checkpoint.State is not null).MaxBy(checkpoint => checkpoint.State!.WrittenAt);
            if (newest is null)
                warn?.Invoke($"There is no checkpoint in {config.OutputDir}: the run starts afresh.");
            return newest;
        }

        var name = Path.TrimEndingDirectorySeparator(asked);
        var folder = Directory.Exists(name) ? name : Path.Combine(config.OutputDir, Path.GetFileName(name));
        var found = Directory.Exists(folder) && LoraCheckpoints.StepOf(folder) is { } step ? new TrainingCheckpoint(folder, step) : null;
        return found?.State is not null
            ? found
            : throw new LabException($"resume_from_checkpoint is '{asked}', but {(found is null ? "there is no such checkpoint" : $"{folder} holds no {TrainingState.FileName}")}. {(there.Count == 0 ? $"{config.OutputDir} has no checkpoints" : $"{config.OutputDir} has {string.Join(", ", there.Select(checkpoint => Path.GetFileName(checkpoint.Folder)))}")}.");
    }

    /// <summary>Writes a checkpoint; the folder appears whole or not at all and replaces one of the same step.</summary>
    internal static TrainingCheckpoint Write(DreamBoothConfig config, string dataSha256, DreamBoothTrainer trainer, LoraAdapter adapter)
    {
        var folder = Path.Combine(config.OutputDir, string.Create(CultureInfo.InvariantCulture, $"{LoraCheckpoints.Prefix}{trainer.StepsDone}"));
        var unfinished = Path.Combine(config.OutputDir, $".{Path.GetFileName(folder)}.{Guid.NewGuid():N}.tmp");
        try
        {
            LoraFile.Save(Path.Combine(unfinished, LoraFile.DefaultName), adapter);
            trainer.SaveOptimizer(Path.Combine(unfinished, OptimizerName));
            TrainingState.Write(unfinished, config, trainer.StepsDone, dataSha256);
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
            Directory.Move(unfinished, folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"The checkpoint {folder} cannot be written: {error.Message}", error);
        }
        finally
        {
            if (Directory.Exists(unfinished))
                Directory.Delete(unfinished, recursive: true);
        }

        if (config.CheckpointsTotalLimit is { } limit)
            Prune(config.OutputDir, limit);
        return new TrainingCheckpoint(folder, trainer.StepsDone);
    }

    /// <summary>Checks that a run can go on from here.</summary>
    /// <exception cref="LabException">The run is finished, or was of another configuration or other pictures.</exception>
    internal void Check(DreamBoothConfig config, string dataSha256, int maxSteps)
    {
        var state = State!;
        if (state.Step >= maxSteps)
            throw new LabException($"{Folder} is at step {state.Step} and the run has {maxSteps}: there is nothing left to train. Raise max_train_steps to train on, or leave resume_from_checkpoint out to start afresh.");
        var differences = state.Differences(config);
        if (differences.Count > 0)
            throw new LabException($"{Folder} cannot be gone on from, because it is of a run with other settings: {string.Join("; ", differences)}.");
        if (state.DataSha256 != dataSha256)
            throw new LabException($"{Folder} cannot be gone on from, because the instance pictures, class pictures or captions are not those it was trained on.");
    }

    /// <summary>Puts trainer and adapter where they were.</summary>
    internal void Restore(DreamBoothTrainer trainer, LoraAdapter adapter)
    {
        LoraFile.LoadInto(Path.Combine(Folder, LoraFile.DefaultName), adapter);
        trainer.GoOnFrom(State!.Step, Path.Combine(Folder, OptimizerName));
    }

    // The newest by time: what an earlier run left in the folder goes first, whatever its steps.
    private static void Prune(string outputDir, int limit)
    {
        foreach (var old in List(outputDir).Where(checkpoint => checkpoint.State is not null).OrderByDescending(checkpoint => checkpoint.State!.WrittenAt).Skip(limit))
            Directory.Delete(old.Folder, recursive: true);
    }
}
