using System.CommandLine;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Cli;

/// <summary><c>generate</c>: prompts, a model and LoRA in, pictures out.</summary>
internal static class GenerateVerb
{
    public static Command Create(Session session)
    {
        var verb = new Command(
            "generate",
            "Generates pictures for one prompt or a file of prompts, with or without LoRA. Flags are those of the DreamBooth tutorial's "
            + "inference.py and more; the size is the model's own unless --height and --width say otherwise.");
        var options = new FlagOptions(verb, GenerateConfig.Flags.All, GenerateConfig.UnusedFlags);
        verb.SetAction(result =>
        {
            var given = options.Read(result, session.Warn);
            return given.Keys.Any(flag => flag.Name == GenerateFrom.Flag)
                ? GenerateFrom.Run(given, session)
                : Run(ReadConfig(given, session), session);
        });
        return verb;
    }

    private static GenerateConfig ReadConfig(Dictionary<Flag, object?> given, Session session)
    {
        var config = UsageErrors.In(() =>
        {
            var read = GenerateConfig.Flags.Build(given);
            read.Validate();
            return read;
        });
        if (config.Prompt is not null && config.PromptsFile is not null)
            session.Warn("--prompt has no effect beside --prompts_file.");
        if (config.NegativePrompt is not null && config.NegativePromptsFile is not null)
            session.Warn("--negative_prompt has no effect beside --negative_prompts_file.");
        return config;
    }

    private static int Run(GenerateConfig config, Session session)
    {
        var shard = Shard.Parse(config.Shard);
        using var folder = RunFolder.Open(config.OutputDir, "generate", "output_dir", shard, cancellation: session.Cancellation);
        var prompts = config.ReadPrompts();
        var (model, loras) = Find(config, session);
        ModelIndex.RefuseConfigs(model);
        if (ModelIndex.UnusedComponents(model, config.Components) is { } notice)
            session.Warn(notice);
        var options = Options(config);
        var run = new GenerationRun(config, prompts, new GenerationOrigin(options, model, loras));
        folder.ClearLeftovers(shard is null ? null : run.IsOwn);
        try
        {
            if (run.Missing > 0)
                Generate(run, config, model, loras, options, session);
        }
        finally
        {
            // Of several parts the last writes it, of an interrupted run what is there.
            if (!config.NoPage && folder.TryTakeWhole())
                SweepPage.Write(config.OutputDir, warn: session.Warn);
        }

        var kept = run.Own - run.Missing;
        session.Output.WriteLine($"{run.Own} picture{(run.Own == 1 ? string.Empty : "s")} in {config.OutputDir}"
            + (shard is null ? string.Empty : $", part {shard} of {run.Total}")
            + (kept == 0 ? string.Empty : $"; {kept} of them there from an earlier run (--overwrite generates them again)"));
        return ExitCode.Success;
    }

    private static void Generate(
        GenerationRun run, GenerateConfig config, string model, IReadOnlyList<(WeightedLora Lora, string Path)> loras,
        PipelineOptions options,
        Session session)
    {
        var guard = new MemoryGuard(model, config.Device, Planned(config, options));
        guard.FitBatch(model, config.Memory);
        var memory = guard.Choose(model, config.Memory, session.Output.WriteLine);
        using var pipeline = guard.Run(() => Load(model, memory.Apply(options), session));
        foreach (var (lora, path) in loras)
            session.Output.WriteLine($"{lora.Path}: {pipeline.LoadLora(path, lora.Weight * config.LoraScale)}");
        ConsoleProgress.Run(session, report =>
        {
            guard.Enter("generating pictures");
            return guard.Run(() =>
            {
                run.Execute(
                    pipeline, memory.SampleBatchSize, (done, steps, prompt) => report("Denoising", done, steps, prompt),
                    session.Cancellation);
                return true;
            });
        });
    }

    /// <summary>Where the model and the LoRA lie; names on the hub are downloaded, the small ones first.</summary>
    private static (string Model, List<(WeightedLora Lora, string Path)> Loras) Find(GenerateConfig config, Session session) =>
        ConsoleProgress.Run(session, report =>
        {
            var resolver = new HubResolver(null, session.Warn, new HubProgressLines(report, "Downloading"));
            var loras = config.Loras.Select(lora => (lora, resolver.Lora(lora.Path, cancellation: session.Cancellation))).ToList();
            return (resolver.Model(config.PretrainedModelNameOrPath, config.Revision, config.Variant, session.Cancellation), loras);
        });

    /// <summary>Where and how a configuration's model is loaded.</summary>
    internal static PipelineOptions Options(GenerateConfig config) => PipelineOptions.Parse(config.Device, config.Dtype) with
    {
        TokenizersFolder = config.Tokenizers,
        Variant = config.Variant,
        ComponentsFolder = config.Components,
        WithT5 = !config.WithoutT5,
        CudaGraph = config.CudaGraph,
        Quantization = config.Quantization,
    };

    // The largest of all combinations.
    internal static MemorySettings Planned(GenerateConfig config, PipelineOptions options) => SettingAxis.Variants(config)
        .Select(variant => PlannedOne(variant, options)).MaxBy(settings => settings.SampleResolution ?? 0)!;

    private static MemorySettings PlannedOne(GenerateConfig config, PipelineOptions options) => new()
    {
        Training = TrainingKind.None,
        Dtype = options.Dtype,
        VaeDtype = options.VaeDtype,
        Quantization = options.Quantization,
        WithT5 = !config.WithoutT5,
        MaxSequenceLength = config.MaxSequenceLength ?? PromptEncoder.DefaultMaxSequenceLength,
        SampleBatchSize = Math.Min(config.NumImages, StableDiffusion3Pipeline.WorthAtATime),
        SampleResolution = config.Height is null && config.Width is null ? null : Math.Max(config.Height ?? 0, config.Width ?? 0),
    };

    internal static StableDiffusion3Pipeline Load(string model, PipelineOptions options, Session session)
    {
        MiniatureFolder.VerifyIfListed(model);
        var pipeline = StableDiffusion3Pipeline.Load(model, options);
        pipeline.Prompts.Warn = session.Warn;
        return pipeline;
    }
}
