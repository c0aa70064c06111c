using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Training;

/// <summary>A training as its output folder tells it, running or not.</summary>
internal sealed record TrainingRun
{
    private const int Depth = 4;
    private const int MeanSteps = 10;

    private static readonly EnumerationOptions Own = new() { AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };

    private static readonly EnumerationOptions AllBelow = new()
    {
        RecurseSubdirectories = true,
        AttributesToSkip = FileAttributes.ReparsePoint,
        IgnoreInaccessible = true,
    };

    private TrainingRun(string folder) => Folder = folder;

    /// <summary>The output folder; a full path.</summary>
    public string Folder { get; }

    /// <summary>Its configuration.</summary>
    public required DreamBoothConfig Recipe { get; init; }

    /// <summary>Its record; null of trainings that had none.</summary>
    public RunRecord? Record { get; init; }

    /// <summary>The steps that were done.</summary>
    public required IReadOnlyList<StepRecord> Records { get; init; }

    /// <summary>How far it is.</summary>
    public required RunState State { get; init; }

    /// <summary>Optimizer steps done.</summary>
    public int Steps => Records.Count == 0 ? 0 : Records[^1].Step;

    /// <summary>Optimizer steps of the whole run; null where that is not known.</summary>
    public int? MaxSteps => Record?.MaxSteps ?? Recipe.MaxTrainSteps;

    /// <summary>The instance prompt, or those of several subjects; null where they are not known any more.</summary>
    public string? Prompt => Recipe.InstancePromptIn(Folder);

    /// <summary>When its last step ended, or it began.</summary>
    public required DateTimeOffset When { get; init; }

    /// <summary>The mean loss of its last steps, up to ten; null before the first.</summary>
    public double? LastLoss =>
        Records.TakeLast(MeanSteps).Select(record => record.Loss).Where(double.IsFinite).ToList() is { Count: > 0 } last
            ? last.Average() : null;

    /// <summary>The newest scores of its validation pictures; null where there are none.</summary>
    public StepRecord? Scored => Records.LastOrDefault(record => record.Scores is { Count: > 0 });

    /// <summary>Bytes of everything in the folder.</summary>
    public long Bytes => new DirectoryInfo(Folder).EnumerateFiles("*", AllBelow).Sum(file => file.Length);

    /// <summary>Whether a folder is a training's.</summary>
    public static bool Is(string folder) =>
        File.Exists(Path.Combine(folder, DreamBoothConfig.RecipeName))
        && (File.Exists(Path.Combine(folder, StepLog.FileName)) || File.Exists(Path.Combine(folder, LoraFile.DefaultName)));

    /// <summary>Reads a training's folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="LabException">It is none, or its recipe or steps cannot be read.</exception>
    public static TrainingRun Read(string folder)
    {
        if (!Is(folder))
        {
            throw new LabException(
                $"{folder} is no training's output folder: such a folder has {DreamBoothConfig.RecipeName} and {StepLog.FileName}.");
        }

        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var recipe = DreamBoothConfig.Read(Path.Combine(full, DreamBoothConfig.RecipeName), _ => { });
        var (record, steps, isHeld) = (RunRecord.Read(full), StepLog.Read(full), RunFolder.IsHeld(full));
        var log = new FileInfo(Path.Combine(full, steps.Count > 0 ? StepLog.FileName : DreamBoothConfig.RecipeName));
        return new TrainingRun(full)
        {
            Recipe = recipe,
            Record = record,
            Records = steps,
            State = isHeld ? RunState.Running : StateOf(record, recipe, steps.Count == 0 ? 0 : steps[^1].Step),
            When = new DateTimeOffset(log.LastWriteTimeUtc),
        };
    }

    /// <summary>The trainings in a folder and in folders below, four deep, by name; checkpoints are none.</summary>
    /// <param name="root">An existing folder.</param>
    /// <param name="fault">Told of a folder that cannot be read.</param>
    public static IReadOnlyList<TrainingRun> List(string root, Action<string> fault)
    {
        List<TrainingRun> runs = [];
        foreach (var folder in Below(root, Depth).Where(Is).Order(StringComparer.Ordinal))
        {
            try
            {
                runs.Add(Read(folder));
            }
            catch (LabException error)
            {
                fault($"{folder} is left out: {error.Message}");
            }
        }

        return runs;
    }

    private static IEnumerable<string> Below(string folder, int depth) => depth == 0 ? [folder]
        : Directory.EnumerateDirectories(folder, "*", Own).Where(inner => !Path.GetFileName(inner).StartsWith('.'))
            .SelectMany(inner => Below(inner, depth - 1)).Prepend(folder);

    // A process that was killed left it as running.
    private static RunState StateOf(RunRecord? record, DreamBoothConfig recipe, int steps) => record?.State switch
    {
        RunState.Running => steps >= record.MaxSteps ? RunState.Finished : RunState.Interrupted,
        { } state => state,
        null => recipe.MaxTrainSteps is { } most && steps < most ? RunState.Interrupted : RunState.Finished,
    };
}
