using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Training;

/// <summary>
/// The output folder of a training: created, tested and locked first, and rejected where it holds the results of another training.
/// </summary>
internal sealed class TrainingOutput : IDisposable
{
    private readonly RunFolder? _folder;
    private readonly DreamBoothConfig _config;
    private readonly bool _isAnothers;

    private TrainingOutput(RunFolder? folder, DreamBoothConfig config, TrainingCheckpoint? checkpoint, bool isAnothers)
    {
        (_folder, _config, Checkpoint, _isAnothers) = (folder, config, checkpoint, isAnothers);
        StartedAt = TrainingCheckpoint.NextStart(config.OutputDir);
    }

    /// <summary>The training, with what it takes from the LoRA that it begins with.</summary>
    public DreamBoothConfig Config => _config;

    /// <summary>The checkpoint that the training resumes from; null to start from scratch.</summary>
    public TrainingCheckpoint? Checkpoint { get; }

    /// <summary>
    /// When this training began, later than every other in the folder whatever the clock says: its checkpoints are the newest.
    /// </summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>
    /// The steps of a training that is already finished, judged only by options and files; null where there may be work left.
    /// </summary>
    public int? FinishedSteps => Checkpoint is { } checkpoint && checkpoint.Step == _config.MaxTrainSteps
        && checkpoint.State!.Differences(_config with { Seed = _config.Seed ?? checkpoint.State.Config().Seed }).Count == 0
            && SavedLoraIsOf(checkpoint)
        ? checkpoint.Step : null;

    /// <summary>The training with a seed: its own, else that of the checkpoint that it goes on from, else a drawn one.</summary>
    /// <param name="config">The training.</param>
    public DreamBoothConfig Seeded(DreamBoothConfig config) =>
        config with { Seed = config.Seed ?? Checkpoint?.State!.Config().Seed ?? Random.Shared.NextInt64(uint.MaxValue) };

    /// <summary>Creates and locks the folder of a configuration.</summary>
    /// <param name="config">The training.</param>
    /// <param name="warn">Told where there is no checkpoint to go on from.</param>
    /// <exception cref="UsageException">Two of the training's folders are the same, or one lies in the other.</exception>
    /// <exception cref="LabException">It cannot be written to, is in use, or holds what another training made.</exception>
    public static TrainingOutput Open(DreamBoothConfig config, Action<string>? warn)
    {
        CheckFolders(config);
        var folder = RunFolder.Open(config.OutputDir, "training", "output_dir");
        try
        {
            var checkpoint = TrainingCheckpoint.Find(config, warn);
            var goesOn = checkpoint is not null
                && RealPath.AreSame(Path.GetDirectoryName(Path.GetFullPath(checkpoint.Folder))!, config.OutputDir);
            var objection = goesOn ? null : Objection(config);
            if (objection is not null && !config.OverwriteOutputDir)
                throw Refusal(objection);
            CheckNames(config.OutputDir);
            folder.ClearLeftovers();
            TrainingCheckpoint.ClearRemains(config.OutputDir);
            return new TrainingOutput(folder, InitialLora.Take(config, checkpoint), checkpoint, objection is not null);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>The folder as a rank sees it that writes nothing there: rank 0 has it.</summary>
    /// <param name="config">The training.</param>
    /// <param name="checkpoint">The folder of the checkpoint that rank 0 goes on from; null to start from scratch.</param>
    /// <exception cref="LabException">The checkpoint is not there: the ranks' machines do not share the folder.</exception>
    public static TrainingOutput Follow(DreamBoothConfig config, string? checkpoint)
    {
        var found = TrainingCheckpoint.Find(config with { ResumeFromCheckpoint = checkpoint });
        return new(null, InitialLora.Take(config, found), found, isAnothers: false);
    }

    /// <summary>What happens to an existing LoRA in the folder of a configuration.</summary>
    /// <param name="config">The training.</param>
    /// <returns>A sentence that <see cref="Open"/> would refuse it with, or null where it would be replaced or gone on from.</returns>
    public static string? Refuses(DreamBoothConfig config)
    {
        try
        {
            var checkpoint = TrainingCheckpoint.Find(config);
            config = InitialLora.Take(config, checkpoint);
            if (checkpoint is not null)
            {
                checkpoint.CheckSettings(config);
                if (RealPath.AreSame(Path.GetDirectoryName(Path.GetFullPath(checkpoint.Folder))!, config.OutputDir))
                    return null;
            }

            return !config.OverwriteOutputDir && Objection(config) is { } objection ? Refusal(objection).Message : null;
        }
        catch (LabException error)
        {
            return error.Message;
        }
    }

    /// <summary>Rejects folders that would mix their files.</summary>
    /// <exception cref="UsageException">They are the same, or one lies in the other, be it through a link.</exception>
    public static void CheckFolders(DreamBoothConfig config)
    {
        string[] instances = [.. config.PerSubject().Select(one => one.InstanceDataDir)];
        string[] classes = [.. config.PerClass().Select(one => one.ClassDataDir!)];
        foreach (var (own, made) in instances.SelectMany(own => classes.Select(made => (own, made))))
        {
            if (RealPath.IsWithin(made, own) || RealPath.IsWithin(own, made))
                throw Apart("class_data_dir", made, "instance_data_dir", own,
                    "class pictures are generated into the first, and must not lie among the subject's");
        }

        const string Mixed = "what a training writes must not lie among the pictures it learns from";
        if (Array.Find(instances, own => RealPath.IsWithin(config.OutputDir, own)) is { } subject)
            throw Apart("output_dir", config.OutputDir, "instance_data_dir", subject, Mixed);
        if (Array.Find(classes, made => RealPath.IsWithin(config.OutputDir, made)) is { } ofClass)
            throw Apart("output_dir", config.OutputDir, "class_data_dir", ofClass, Mixed);
    }

    /// <summary>Deletes what the training of another subject left, where that was requested.</summary>
    public void ClearWhatIsReplaced()
    {
        if (!_isAnothers)
            return;
        foreach (var checkpoint in TrainingCheckpoint.List(_config.OutputDir).Where(checkpoint => checkpoint.IsOwn))
            checkpoint.Delete();
        File.Delete(Path.Combine(_config.OutputDir, LoraFile.DefaultName));
        TrainingExports.Clear(_config.OutputDir);
        ValidationPicture.Clear(_config.OutputDir);
    }

    /// <inheritdoc/>
    public void Dispose() => _folder?.Dispose();

    // What blocks the result is found before the training, not when it is saved.
    private static void CheckNames(string outputDir)
    {
        string[] files =
            [DreamBoothConfig.RecipeName, RunRecord.FileName, StepLog.FileName, LoraFile.DefaultName, .. TrainingExports.Files];
        if (files.Select(name => Path.Combine(outputDir, name)).FirstOrDefault(Directory.Exists) is { } folder)
            throw InTheWay(folder, "folder", "file");
        string[] folders = [ValidationPicture.Folder, TrainingExports.PeftFolder];
        if (folders.Select(name => Path.Combine(outputDir, name)).FirstOrDefault(File.Exists) is { } file)
            throw InTheWay(file, "file", "folder");
    }

    private static LabException InTheWay(string path, string there, string needed) =>
        new($"{path} is a {there}, and a training writes a {needed} of that name. Remove it, or name another output_dir.");

    private static LabException Refusal(string objection) =>
        new($"{objection} Name another output_dir, or give overwrite_output_dir to replace what is there.");

    private static UsageException Apart(string name, string path, string otherName, string other, string why)
    {
        var relation = RealPath.AreSame(path, other) ? "is the same folder as" : RealPath.IsWithin(path, other) ? "lies in" : "holds";
        return new($"{name} ({path}) {relation} {otherName} ({other}): {why}. Name another {name}.");
    }

    // Overwriting another training's LoRA would lose it; the recipe beside it shows whose it is.
    private static string? Objection(DreamBoothConfig config)
    {
        var there = TrainingCheckpoint.List(config.OutputDir);
        if (there.Count == 0 && !File.Exists(Path.Combine(config.OutputDir, LoraFile.DefaultName)))
            return null;
        var recipe = Path.Combine(config.OutputDir, DreamBoothConfig.RecipeName);
        try
        {
            return Objection(
                config, there,
                File.Exists(recipe) ? DreamBoothConfig.Read(recipe, _ => { }) : TrainingCheckpoint.Newest(there)?.State?.Config());
        }
        catch (LabException error)
        {
            return $"{config.OutputDir} holds a LoRA, and what it was trained on cannot be told: {error.Message}";
        }
    }

    private static string? Objection(DreamBoothConfig config, IReadOnlyList<TrainingCheckpoint> there, DreamBoothConfig? earlier)
    {
        if (earlier is null)
            return $"{config.OutputDir} holds {(there.Count == 0 ? LoraFile.DefaultName : Path.GetFileName(there[^1].Folder))}, but no "
                + $"{DreamBoothConfig.RecipeName} that says what it was trained on.";
        var copy = Path.Combine(config.OutputDir, SubjectsFile.CopyName);
        var before = earlier.DatasetOptions(File.Exists(copy) ? copy : null).ListSubjects();
        var now = config.DatasetOptions().ListSubjects();
        if (!before.Select(subject => subject.InstancePrompt).SequenceEqual(now.Select(subject => subject.InstancePrompt)))
        {
            return before.Count > 1 || now.Count > 1
                ? $"{config.OutputDir} holds the LoRA of other subjects: its prompts are {Prompts(before)}, and this training's are "
                    + $"{Prompts(now)}."
                : $"{config.OutputDir} holds the LoRA of another subject: its instance_prompt is {Prompts(before)}, and this training's is "
                    + $"{Prompts(now)}.";
        }

        return before.Zip(now).FirstOrDefault(pair => pair.First.InstanceDataDir != pair.Second.InstanceDataDir
            && !RealPath.AreSame(pair.First.InstanceDataDir, pair.Second.InstanceDataDir)) is ({ } first, { } second)
            ? $"{config.OutputDir} holds the LoRA of other pictures: its instance_data_dir is {first.InstanceDataDir}, and this "
                + $"training's is {second.InstanceDataDir}."
            : null;
    }

    private static string Prompts(IEnumerable<TrainingSubject> subjects) =>
        string.Join(", ", subjects.Select(subject => $"'{ShownText.Line(subject.InstancePrompt)}'"));

    private bool SavedLoraIsOf(TrainingCheckpoint checkpoint)
    {
        string saved = Path.Combine(_config.OutputDir, LoraFile.DefaultName), there = Path.Combine(checkpoint.Folder, LoraFile.DefaultName);
        return File.Exists(saved) && File.ReadAllBytes(saved).AsSpan().SequenceEqual(File.ReadAllBytes(there));
    }
}
