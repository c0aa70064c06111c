using System.Diagnostics;
using System.Globalization;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary>
/// The tutorial in one run: pictures of the base model, the training with its class pictures, the same pictures again, and the three
/// sweeps. What an earlier run has done in the folder is kept.
/// </summary>
internal sealed class DemoRun(DemoOptions options, DemoFolder folder, ConsoleProgress.Report report, Action<string> warn)
{
    public const string Before = "before";
    public const string After = "after";
    public const string TrainingPhase = "training";
    public const string ClassPhase = "class pictures";

    /// <summary>The tutorial's three families of prompts: folder, prompt list, and heading.</summary>
    public static readonly IReadOnlyList<(string Name, string Title)> Families =
        [("recontextualization", "New places"), ("art", "Rendered as art"), ("property", "Changed properties")];

    /// <summary>The folders of all sweeps.</summary>
    public static IEnumerable<string> SweepNames => [Before, After, .. Families.Select(family => family.Name)];

    /// <summary>Does all remaining work.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; what was done is kept.</exception>
    public void Execute(CancellationToken cancellation)
    {
        using (var pipeline = Load())
            Sweep(pipeline, Before, "Before", Validation(null), cancellation);
        if (!folder.IsTrained)
            Train(cancellation);
        using (var pipeline = Load())
        {
            Sweep(pipeline, After, "After", Validation(folder.LoraFilePath), cancellation);
            foreach (var (name, title) in Families)
                Sweep(pipeline, name, title, Family(name), cancellation);
        }
    }

    /// <summary>The validation prompts, with the same seeds before and after.</summary>
    public Sweep Validation(string? lora) => Sweeps.Sweep.Cross(lora is null ? Before : After, new SweepAxes
    {
        Prompts = PromptList.Read(Path.Combine(options.Prompts, "validation.txt")),
        Seeds = [.. Enumerable.Range(0, options.ValidationSeeds).Select(index => options.Seed + (ulong)index)],
        Loras = [lora is null ? null : new WeightedLora(lora)],
        Guidances = [options.Guidance],
        Steps = options.Steps,
        Family = "validation",
    });

    private Sweep Family(string name) => Sweeps.Sweep.Cross(name, new SweepAxes
    {
        Prompts = [.. PromptList.Read(Path.Combine(options.Prompts, name + ".txt")).Take(options.PromptsPerFamily)],
        Seeds = [options.Seed],
        SeedStride = 1,
        Loras = [new WeightedLora(folder.LoraFilePath)],
        Guidances = [options.Guidance],
        Steps = options.Steps,
        Family = name,
    });

    private StableDiffusion3Pipeline Load()
    {
        MiniatureFolder.VerifyIfListed(options.Training.PretrainedModelNameOrPath);
        var pipeline = StableDiffusion3Pipeline.Load(options.Training.PretrainedModelNameOrPath, new PipelineOptions
        {
            Device = DeviceSelection.Parse(options.Training.Device),
            Dtype = options.Training.ComputeDtype(),
            TokenizersFolder = options.Training.Tokenizers,
            Memory = options.Training.Memory,
        });
        pipeline.Prompts.Warn = warn;
        return pipeline;
    }

    private void Sweep(StableDiffusion3Pipeline pipeline, string name, string title, Sweep sweep, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        var made = 0;
        var runner = new SweepRunner(pipeline, new SweepRunnerOptions
        {
            BatchSize = options.BatchSize,
            Model = folder.Model,
            Judge = options.Judge,
            OnPicture = (_, _) => made++,
            OnProgress = progress => report(
                title,
                (int)Math.Round(progress.Fraction * progress.Total * options.Steps),
                progress.Total * options.Steps,
                Describe(progress)),
        });
        try
        {
            runner.Run(sweep, folder.Sweep(name), cancellation);
        }
        finally
        {
            if (made > 0)
                folder.AddSeconds(name, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
    }

    private static string Describe(SweepProgress progress)
    {
        var text = $"{progress.Done} of {progress.Total} pictures";
        return progress.Reused == progress.Total ? text + ", all from an earlier run"
            : progress.Prompt.Length == 0 ? text
            : $"{text}, {ShownText.Line(progress.Prompt)}";
    }

    private void Train(CancellationToken cancellation)
    {
        folder.ResetSeconds(TrainingPhase);
        var (mark, trainingStarted) = (Stopwatch.GetTimestamp(), 0L);
        var total = 0;
        var events = new TrainingEvents
        {
            OnWarning = warn,
            OnClassPicture = (done, count) =>
            {
                report("Class pictures", done, count, ShownText.Line(options.Training.ClassPrompt ?? string.Empty));
                folder.AddSeconds(ClassPhase, Stopwatch.GetElapsedTime(mark).TotalSeconds);
                mark = Stopwatch.GetTimestamp();
            },
            OnEncoded = (done, count) => report("Encoding", done, count, string.Empty),
            OnStart = trainer => (total, trainingStarted) = (trainer.MaxSteps, Stopwatch.GetTimestamp()),
            OnStep = record => report("Training", record.Step, total, Describe(record)),
        };
        var summary = TrainingSession.Train(options.Training, events, cancellation);
        folder.AddSeconds(TrainingPhase, trainingStarted == 0 ? 0 : Stopwatch.GetElapsedTime(trainingStarted).TotalSeconds);
        if (!summary.Cancelled)
            folder.MarkTrained();
        cancellation.ThrowIfCancellationRequested();
    }

    private static string Describe(StepRecord record) => string.Create(
        CultureInfo.InvariantCulture, $"loss {record.Loss:0.0000}  {1 / record.Seconds:0.0} steps/s");
}
