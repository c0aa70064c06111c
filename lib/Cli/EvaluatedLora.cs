using Dreambooth.Lab.Display;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary>
/// Generates the pictures of a LoRA and its checkpoints at several scales, and of the model without it, of the same prompts and seeds. What
/// an earlier run has generated is kept.
/// </summary>
internal sealed class EvaluatedLora(EvaluateConfig config, HubResolver hub, ConsoleProgress.Report report, Session session)
{
    private const string Subfolder = "pictures";

    /// <summary>Generates what is missing.</summary>
    /// <returns>
    /// One set for the base model, then one for each stage and scale; null where other parts (<see cref="EvaluateConfig.Shard"/>) have not
    /// made theirs yet.
    /// </returns>
    /// <exception cref="LabException">The model, the LoRA or the prompt file is not there or does not fit.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; what is done is kept.</exception>
    public IReadOnlyList<PictureSet>? Generate()
    {
        var prompts = PromptList.Read(config.PromptsFile!);
        var lora = hub.Lora(config.Lora!, cancellation: session.Cancellation);
        var stages = Directory.Exists(lora) ? LoraCheckpoints.Stages(lora, config.Stages ?? int.MaxValue) : [LoraFile.Resolve(lora)];
        var model = hub.Model(config.PretrainedModelNameOrPath!, cancellation: session.Cancellation);
        ModelIndex.RefuseConfigs(model);
        var recipe = Recipe(lora);
        var classPrompt = config.ClassPrompt ?? recipe?.ClassPrompt;
        if (PromptIdentifier.Complaint(prompts, recipe?.InstancePrompt, classPrompt) is { } complaint)
            session.Warn(complaint);
        if (classPrompt is null)
            session.Warn("Drift is not measured: there is no --class_prompt, and no recipe.json beside the LoRA that names one.");
        Sweep Cross(IEnumerable<string> asked, int seeds) => Sweep.Cross("evaluation", new SweepAxes
        {
            Prompts = [.. asked.Distinct(StringComparer.Ordinal)],
            Seeds = [.. Enumerable.Range(0, seeds).Select(index => (ulong)config.Seed + (ulong)index)],
            Loras = [null, .. stages.SelectMany(stage => config.Scales.Select(scale => new WeightedLora(stage, scale)))],
            Guidances = [config.Guidance],
            Steps = config.NumSteps,
            Width = config.Width,
            Height = config.Height,
        });
        var sweep = Cross(prompts.Where(prompt => prompt != classPrompt), config.Seeds);
        if (classPrompt is not null)
        {
            var ofClass = Cross([classPrompt], config.ClassSeeds).Items.Select(item => item with { Family = FolderPictures.OfClass });
            sweep = sweep with { Items = [.. sweep.Items, .. ofClass] };
        }

        var folder = Path.Combine(config.OutputDir, Subfolder);
        var results = Run(sweep, folder, model);
        if (results.Count < sweep.Items.Count)
            return null;
        SweepPage.Write(folder, $"Pictures of {Path.GetFileName(Path.TrimEndingDirectorySeparator(config.Lora!))}", session.Warn);
        return
        [.. results.GroupBy(result => PictureSetName.Of(result.Item)).Select(group => new PictureSet(
            group.Key, [.. group.Select(result => FolderPictures.Of(folder, result, classPrompt))]))];
    }

    private IReadOnlyList<SweepResult> Run(Sweep sweep, string folder, string model)
    {
        var options = PipelineOptions.Parse(config.Device, config.Dtype);
        var guard = new MemoryGuard(model, config.Device, new MemorySettings
        {
            Training = TrainingKind.None,
            Dtype = options.Dtype,
            VaeDtype = options.VaeDtype,
            SampleBatchSize = config.SampleBatchSize,
            SampleResolution = config.Height is null && config.Width is null ? null : Math.Max(config.Height ?? 0, config.Width ?? 0),
        });
        guard.FitBatch(model, MemoryMode.Auto);
        var memory = guard.Choose(model, MemoryMode.Auto, session.Output.WriteLine);
        MiniatureFolder.VerifyIfListed(model);
        using var pipeline = guard.Run(() => StableDiffusion3Pipeline.Load(
            model, memory.Apply(options) with { TokenizersFolder = config.Tokenizers }));
        pipeline.Prompts.Warn = session.Warn;
        guard.Enter("generating pictures");
        return guard.Run(() => new SweepRunner(pipeline, new SweepRunnerOptions
        {
            BatchSize = memory.SampleBatchSize,
            UnitSize = Math.Max(config.SampleBatchSize, memory.SampleBatchSize),
            Shard = Shard.Parse(config.Shard),
            Metadata = !config.NoMetadata,
            Model = ModelFingerprint.Of(model),
            OnProgress = progress => report(
                "Generating", progress.Done, progress.Total,
                $"pictures{(progress.Reused == 0 ? string.Empty : $", {progress.Reused} from an earlier run")}"),
        }).Run(sweep, folder, session.Cancellation));
    }

    private DreamBoothConfig? Recipe(string lora)
    {
        var folder = Directory.Exists(lora) ? lora : Path.GetDirectoryName(Path.GetFullPath(lora))!;
        var recipe = Path.Combine(folder, DreamBoothConfig.RecipeName);
        return File.Exists(recipe) ? DreamBoothConfig.Read(recipe, message => session.Warn($"{recipe}: {message}")) : null;
    }
}
