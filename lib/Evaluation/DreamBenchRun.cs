using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// The field's benchmark: for each subject a training, pictures of every prompt, and their scores. What is done is kept, and processes
/// with different shards may share the output folder.
/// </summary>
/// <param name="config">The settings.</param>
/// <param name="events">Events of each training; its judge is not used.</param>
/// <param name="hub">Finds encoders that are named by their names on the hub; null for one without progress.</param>
internal sealed class DreamBenchRun(DreamBenchConfig config, TrainingEvents events, HubResolver? hub = null)
{
    /// <summary>The table's file in the output folder; the CSV lies beside it.</summary>
    public const string TableName = "dreambench.md";

    /// <summary>Marks a data set that the miniature's program painted, which its classifier can judge.</summary>
    public const string PaintedName = "painted-by-the-miniature.txt";

    private readonly DreamBoothConfig _recipe = Recipe(config, events);

    /// <summary>Receives the subject at hand and how many there are.</summary>
    public Action<string>? OnSubject { get; init; }

    /// <summary>Receives the progress of a subject's pictures.</summary>
    public Action<SweepProgress>? OnPictures { get; init; }

    /// <summary>Runs what is missing, and writes the table after each subject.</summary>
    /// <param name="cancellation">Ends it; what is done is kept.</param>
    /// <returns>All subjects that are done in the output folder, those of other shards included.</returns>
    /// <exception cref="LabException">The data set, a recipe, a model or an encoder is wrong.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public DreamBenchTable Execute(CancellationToken cancellation = default)
    {
        var all = DreamBenchDataset.Read(config.Dataset);
        var missing = config.Chosen(all).Where(subject => RowOf(subject.Name) is null).ToList();
        StableDiffusion3Pipeline? pipeline = null;
        try
        {
            foreach (var (subject, index) in missing.Select((subject, index) => (subject, index)))
            {
                OnSubject?.Invoke($"{subject.Name}, {index + 1} of {missing.Count}");
                // What judges is opened first: an error in it comes before a model is loaded.
                using var judge = Judge(subject);
                pipeline ??= TrainingSession.LoadPipeline(_recipe, events, cancellation);
                var lora = Train(subject, pipeline, cancellation);
                JsonFile.Write(
                    Path.Combine(FolderOf(subject.Name), DreamBenchRow.FileName), Measure(subject, lora, judge, pipeline, cancellation));
                Save(Table(all));
            }
        }
        finally
        {
            pipeline?.Dispose();
        }

        var table = Table(all);
        Save(table);
        return table;
    }

    private static DreamBoothConfig Recipe(DreamBenchConfig config, TrainingEvents events)
    {
        var recipe = config.Config is { } path ? DreamBoothConfig.Read(path, events.OnWarning) : DreamBoothConfig.Sd35MediumTutorial;
        return recipe with
        {
            PretrainedModelNameOrPath = config.PretrainedModelNameOrPath ?? recipe.PretrainedModelNameOrPath,
            MaxTrainSteps = config.MaxTrainSteps ?? recipe.MaxTrainSteps
                ?? throw new LabException("The benchmark's recipe has no max_train_steps: give it, so that every subject gets as many."),
            Device = config.Device,
            Seed = recipe.Seed ?? 0,
            ValidationPrompt = null,
            EvaluationSteps = null,
            EvaluationDino = null,
            EvaluationClip = null,
            ResumeFromCheckpoint = null,
            OverwriteOutputDir = false,
        };
    }

    private string Train(DreamBenchSubject subject, StableDiffusion3Pipeline pipeline, CancellationToken cancellation)
    {
        var folder = Path.Combine(FolderOf(subject.Name), "lora");
        var training = _recipe with
        {
            Subjects = null,
            InstanceDataDir = subject.Photos,
            InstancePrompt = $"a photo of {config.UniqueToken} {subject.ClassName}",
            ClassPrompt = _recipe.WithPriorPreservation ? $"a photo of a {subject.ClassName}" : null,
            ClassDataDir = _recipe.UsesClassPictures ? Path.Combine(FolderOf(subject.Name), "class") : null,
            OutputDir = folder,
        };
        var lora = Path.Combine(folder, LoraFile.DefaultName);
        if (IsTrained(training, lora))
            return lora;
        var last = TrainingCheckpoint.List(folder).Count > 0 ? TrainingCheckpoint.Latest : null;
        var summary = TrainingSession.Train(training with { ResumeFromCheckpoint = last }, pipeline, events, cancellation);
        return summary.Cancelled ? throw new OperationCanceledException(cancellation.OrAmbient()) : lora;
    }

    // A training writes its LoRA however it ends; the log says whether it came to its last step.
    private static bool IsTrained(DreamBoothConfig training, string lora)
    {
        var recipe = Path.Combine(training.OutputDir, DreamBoothConfig.RecipeName);
        return File.Exists(lora) && File.Exists(recipe) && StepLog.Read(training.OutputDir) is [.., var last]
            && last.Step == training.MaxTrainSteps
            && (DreamBoothConfig.Read(recipe) with { ResumeFromCheckpoint = null }).ToJson() == training.ToJson();
    }

    private DreamBenchRow Measure(
        DreamBenchSubject subject, string lora, IPictureJudge judge, StableDiffusion3Pipeline pipeline, CancellationToken cancellation)
    {
        var prompts = subject.Prompts(config.UniqueToken);
        var sweep = Sweep.Cross(subject.Name, new SweepAxes
        {
            Prompts = prompts,
            Seeds = [.. Enumerable.Range(0, config.Seeds).Select(seed => (ulong)seed)],
            Loras = [new WeightedLora(lora)],
            Guidances = [config.Guidance],
            Steps = config.NumSteps,
            Width = config.Width,
            Height = config.Height,
        });
        var runner = new SweepRunner(pipeline, new SweepRunnerOptions
        {
            BatchSize = Math.Min(config.Seeds, pipeline.MostAtATime),
            Model = _recipe.PretrainedModelNameOrPath,
            Judge = judge,
            OnProgress = OnPictures,
        });
        using var held = (judge as SubjectJudge)?.Encoders.Hold();
        var results = runner.Run(sweep, Path.Combine(FolderOf(subject.Name), "pictures"), cancellation);
        var (scores, intervals) = (SweepMean.Over(results), Intervals(results));
        var real = new Dictionary<string, double> { [judge.FidelityScore] = judge.Ceiling };
        if (judge is SubjectJudge encoders)
            real[SubjectJudge.ClipImageScore] = encoders.ClipCeiling;
        return new DreamBenchRow
        {
            Subject = subject.Name,
            Judge = judge.Name,
            Prompts = prompts.Count,
            Pictures = results.Count,
            Scores = scores,
            Low = intervals.ToDictionary(score => score.Key, score => score.Value.Low!.Value),
            High = intervals.ToDictionary(score => score.Key, score => score.Value.High!.Value),
            Real = real,
            Settings = Settings(),
        };
    }

    private static Dictionary<string, ScoreInterval> Intervals(IReadOnlyList<SweepResult> results)
    {
        string[] prompts = [.. results.Select(result => result.Item.Prompt).Distinct(StringComparer.Ordinal)];
        var samples = from result in results.DistinctBy(result => (result.Item.Prompt, result.Item.Seed))
                      from score in result.Scores ?? new Dictionary<string, double>()
                      where !double.IsNaN(score.Value)
                      let place = Array.IndexOf(prompts, result.Item.Prompt)
                      group new ScoreSample(place, (long)result.Item.Seed, score.Value) by score.Key;
        return samples.Where(score => score.Count() > 1)
            .ToDictionary(score => score.Key, score => Bootstrap.Mean([.. score], seed: 0));
    }

    private IPictureJudge Judge(DreamBenchSubject subject)
    {
        var model = _recipe.PretrainedModelNameOrPath;
        if (config.Dino is null && File.Exists(Path.Combine(Path.GetDirectoryName(subject.Photos)!, PaintedName))
            && MiniatureFolder.ClassifierOf(model) is { } classifier)
            return CharacterMeasures.Load(classifier, subject.Photos, graded: true);
        if (config.Dino is null)
            throw new LabException(
                "The benchmark needs two encoders: dino, such as facebook/dinov2-small, and clip, such as openai/clip-vit-large-patch14. "
                + "The miniature's classifier judges only data sets that the miniature's program painted.");
        return new JudgeRequest
        {
            Model = model,
            Photos = subject.Photos,
            OnBadImage = _recipe.OnBadImage,
            Dino = config.Dino,
            Clip = config.Clip,
            Protocol = config.Protocol,
            Device = config.Device,
        }.Open(hub);
    }

    private DreamBenchTable Table(IReadOnlyList<DreamBenchSubject> all) => new(
        _recipe.PretrainedModelNameOrPath, [.. all.Select(subject => RowOf(subject.Name)).OfType<DreamBenchRow>()], all.Count,
        all.Max(subject => subject.Templates.Count));

    private void Save(DreamBenchTable table)
    {
        AtomicFile.WriteAllText(Path.Combine(config.OutputDir, TableName), table.ToMarkdown());
        AtomicFile.WriteAllText(Path.Combine(config.OutputDir, Path.ChangeExtension(TableName, "csv")), table.ToCsv());
    }

    private DreamBenchRow? RowOf(string subject)
    {
        var path = Path.Combine(FolderOf(subject), DreamBenchRow.FileName);
        return File.Exists(path) && JsonFile.Read<DreamBenchRow>(path) is var row && row.Settings == Settings() ? row : null;
    }

    private string FolderOf(string subject) => Path.Combine(config.OutputDir, subject);

    // Which subjects a process takes, where it computes and where it writes change no figure.
    private string Settings() => FileHash.Sha256OfText(
        (_recipe with { Device = "auto", OutputDir = "any" }).ToJson() + DreamBenchConfig.Flags.ToJson(
            config with { Config = null, Shard = null, Subjects = null, Device = "auto", OutputDir = "any" }));
}
