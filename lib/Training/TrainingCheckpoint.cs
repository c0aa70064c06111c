using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Training;

/// <summary>
/// A folder <c>checkpoint-N</c> in a run's output folder: the LoRA after N optimizer steps as <c>pytorch_lora_weights.safetensors</c>, and
/// what is needed to continue as if the run had not stopped (<c>optimizer.safetensors</c>, <c>training_state.json</c>). Names and moments
/// in time are those of the reference script; its own checkpoints hold other files.
/// </summary>
public sealed class TrainingCheckpoint
{
    /// <summary>The value of <c>--resume_from_checkpoint</c> that means the newest one.</summary>
    public const string Latest = "latest";

    private const string OptimizerName = "optimizer.safetensors";

    private static readonly string[] OwnNames = [LoraFile.DefaultName, OptimizerName, TrainingState.FileName];

    private readonly Lazy<TrainingState?> _state;

    private TrainingCheckpoint(string folder, int step)
    {
        (Folder, Step) = (folder, step);
        _state = new(() => TrainingState.Read(folder));
    }

    /// <summary>The folder; usable wherever a LoRA path is.</summary>
    public string Folder { get; }

    /// <summary>Optimizer steps done.</summary>
    public int Step { get; }

    /// <summary>The run's state at that step; null where the folder holds only a LoRA.</summary>
    internal TrainingState? State => _state.Value;

    /// <summary>Whether this program wrote it.</summary>
    internal bool IsOwn => File.Exists(Path.Combine(Folder, TrainingState.FileName));

    // Steps order the checkpoints of one training, its start those of several: a clock that is set back changes neither.
    private (DateTimeOffset Start, int Step) Age => (State!.StartedAt ?? State.WrittenAt, Step);

    /// <summary>Whether it is of the training that began then; false where its state cannot be read.</summary>
    internal bool IsOf(DateTimeOffset startedAt) => IsOwn && AgeIfRead.Start == startedAt;

    /// <summary>Whether it is of a training of these settings and data, which has the same steps; false where it cannot be read.</summary>
    internal bool IsOf(DreamBoothConfig config, string dataSha256)
    {
        try
        {
            return !Missing.Any() && State!.DataSha256 == dataSha256 && State.Differences(config).Count == 0;
        }
        catch (LabException)
        {
            return false;
        }
    }

    // A checkpoint with a damaged state cannot be resumed, and does no harm.
    private (DateTimeOffset Start, int Step) AgeIfRead
    {
        get
        {
            try
            {
                return Age;
            }
            catch (LabException)
            {
                return (DateTimeOffset.MinValue, Step);
            }
        }
    }

    private IEnumerable<string> Missing => OwnNames.Where(name => !File.Exists(Path.Combine(Folder, name)));

    /// <summary>The checkpoints of a run.</summary>
    /// <param name="outputDir">The run's output folder; may be missing.</param>
    /// <returns>By step; empty when there are none.</returns>
    public static IReadOnlyList<TrainingCheckpoint> List(string outputDir)
    {
        ArgumentException.ThrowIfNullOrEmpty(outputDir);
        return [.. LoraCheckpoints.List(outputDir).Select(found => new TrainingCheckpoint(found.Folder, found.Step))];
    }

    /// <summary>Finds the checkpoint that a configuration resumes from.</summary>
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
            if (Newest(there) is { } newest)
                return newest;
            if (there.Count > 0)
                throw new LabException(
                    $"resume_from_checkpoint is '{Latest}', but {there[^1].Folder} {there[^1].Lack()}. Leave resume_from_checkpoint out "
                    + "to start afresh; another output_dir keeps it.");
            warn?.Invoke($"There is no checkpoint in {config.OutputDir}: the run starts afresh.");
            return null;
        }

        var name = Path.TrimEndingDirectorySeparator(asked);
        var folder = Directory.Exists(name) ? name : Path.Combine(config.OutputDir, Path.GetFileName(name));
        var found = Directory.Exists(folder) && LoraCheckpoints.StepOf(folder) is { } step ? new TrainingCheckpoint(folder, step) : null;
        return found is not null && !found.Missing.Any()
            ? found
            : throw new LabException(
                $"resume_from_checkpoint is '{ShownText.Line(asked)}', but "
                + $"{(found is null ? "there is no such checkpoint" : $"{folder} {found.Lack()}")}. "
                + $"{config.OutputDir} has "
                + (there.Count == 0 ? "no checkpoints" : string.Join(", ", there.Select(checkpoint => Path.GetFileName(checkpoint.Folder))))
                + ".");
    }

    /// <summary>The newest of some checkpoints that a training can resume from: the last step of the latest training.</summary>
    internal static TrainingCheckpoint? Newest(IEnumerable<TrainingCheckpoint> checkpoints) =>
        checkpoints.Where(checkpoint => !checkpoint.Missing.Any()).MaxBy(checkpoint => checkpoint.Age);

    /// <summary>The start time of a new training: later than that of every other in its folder.</summary>
    internal static DateTimeOffset NextStart(string outputDir)
    {
        var earlier = List(outputDir).Where(checkpoint => checkpoint.IsOwn).Select(checkpoint => checkpoint.AgeIfRead.Start.AddTicks(1));
        return earlier.Append(DateTimeOffset.UtcNow).Max();
    }

    /// <summary>Deletes checkpoints whose deletion was interrupted: those without their LoRA.</summary>
    internal static void ClearRemains(string outputDir)
    {
        foreach (var remains in List(outputDir).Where(checkpoint => Directory.EnumerateFileSystemEntries(checkpoint.Folder)
            .All(entry => Path.GetFileName(entry) is OptimizerName or TrainingState.FileName)))
            remains.Delete();
    }

    /// <summary>Deletes it; an interrupted deletion leaves nothing that looks like a checkpoint.</summary>
    internal void Delete()
    {
        var aside = AtomicFile.TemporaryBeside(Folder);
        Directory.Move(Folder, aside);
        Directory.Delete(aside, recursive: true);
    }

    /// <summary>Writes a checkpoint; the folder appears whole or not at all and replaces one of the same step.</summary>
    internal static TrainingCheckpoint Write(
        DreamBoothConfig config, string dataSha256, DateTimeOffset startedAt, DreamBoothTrainer trainer, LoraAdapter adapter)
    {
        var folder = Path.Combine(
            config.OutputDir, string.Create(CultureInfo.InvariantCulture, $"{LoraCheckpoints.Prefix}{trainer.StepsDone}"));
        var unfinished = AtomicFile.TemporaryBeside(folder);
        try
        {
            LoraFile.Save(Path.Combine(unfinished, LoraFile.DefaultName), adapter);
            trainer.SaveOptimizer(Path.Combine(unfinished, OptimizerName));
            TrainingState.Write(unfinished, config, trainer.StepsDone, dataSha256, startedAt);
            if (Directory.Exists(folder))
                new TrainingCheckpoint(folder, trainer.StepsDone).Delete();
            Directory.Move(unfinished, folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            var named = AtomicFile.Named(error, unfinished, Path.GetFullPath(folder)) ?? error;
            throw new LabException($"The checkpoint {folder} cannot be written: {named.Message}", error);
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

    /// <summary>Checks that a run with given settings can resume from here.</summary>
    /// <exception cref="LabException">It was of another configuration.</exception>
    internal void CheckSettings(DreamBoothConfig config)
    {
        if (State!.Step != Step)
        {
            throw new LabException(
                $"{Folder} cannot be gone on from: its {TrainingState.FileName} is of step {State.Step}, its name of step {Step}.");
        }

        var differences = State.Differences(config with { Seed = config.Seed ?? State.Config().Seed });
        if (differences.Count > 0)
        {
            throw new LabException(
                $"{Folder} cannot be gone on from, because it is of a run with other settings: {string.Join("; ", differences)}."
                + (differences.Any(phrase => phrase.StartsWith("gradient_accumulation_steps ", StringComparison.Ordinal))
                    ? " Several ranks count as one with their micro-batches together." : string.Empty));
        }
    }

    /// <summary>Checks that a run of given length can resume from here.</summary>
    /// <exception cref="LabException">It is at a later step.</exception>
    internal void CheckLength(int maxSteps)
    {
        if (State!.Step > maxSteps)
        {
            throw new LabException(
                $"{Folder} is at step {State.Step} and the run has {maxSteps}: there is nothing left to "
                + "train. Raise max_train_steps to train "
                + "on, or leave resume_from_checkpoint out to start afresh.");
        }
    }

    /// <summary>Checks that a run on given pictures can resume from here.</summary>
    /// <exception cref="LabException">It was of other pictures or captions.</exception>
    internal void CheckData(string dataSha256)
    {
        if (State!.DataSha256 != dataSha256)
            throw OtherData();
    }

    /// <summary>The error of a run that is gone on from with other pictures or captions.</summary>
    internal LabException OtherData() => new(
        $"{Folder} cannot be gone on from, because the instance pictures, class pictures or captions are not those it was trained on. To "
        + "train on them, leave resume_from_checkpoint out and name another output_dir; "
        + $"--init_lora {Path.GetDirectoryName(Folder)} begins with what was learned.");

    /// <summary>Restores trainer and adapter.</summary>
    internal void Restore(DreamBoothTrainer trainer, LoraAdapter adapter)
    {
        LoraFile.LoadInto(Path.Combine(Folder, LoraFile.DefaultName), adapter);
        trainer.GoOnFrom(State!.Step, Path.Combine(Folder, OptimizerName));
    }

    // Checkpoints of an earlier training are deleted first, whatever their steps.
    internal static void Prune(string outputDir, int limit)
    {
        var own = List(outputDir).Where(checkpoint => checkpoint.IsOwn);
        foreach (var old in own.OrderByDescending(checkpoint => checkpoint.AgeIfRead).Skip(limit))
            old.Delete();
    }

    private string Lack() => IsOwn
        ? $"lacks {string.Join(" and ", Missing)}"
        : $"was written by another program (it holds no {TrainingState.FileName}): its LoRA can be used, but no "
            + "training can resume from it here";
}
