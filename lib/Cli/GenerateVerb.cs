using System.CommandLine;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Cli;

/// <summary><c>generate</c>: prompts, a model and LoRA in, pictures out.</summary>
internal static class GenerateVerb
{
    public static Command Create(Session session)
    {
        var verb = new Command("generate", "Draws pictures for one prompt or a file of prompts, with or without LoRA. Flags are those of the DreamBooth "
            + "tutorial's inference.py and more; the size is the model's own unless --height and --width say otherwise.");
        var options = new FlagOptions<GenerateConfig>(verb, GenerateConfig.Flags, GenerateConfig.UnusedFlags);
        GroupedHelp.Describe(verb, GenerateConfig.Flags.All);
        verb.SetAction(result =>
        {
            var config = ReadConfig(options.Read(result, session.Warn), session);
            return Run(config, session);
        });
        return verb;
    }

    private static GenerateConfig ReadConfig(Dictionary<Flag, object?> given, Session session)
    {
        var config = GenerateConfig.Flags.Build(given);
        try
        {
            config.Validate();
        }
        catch (LabException error)
        {
            throw new UsageException(error.Message);
        }

        if (config.Prompt is not null && config.PromptsFile is not null)
            session.Warn("--prompt has no effect beside --prompts_file.");
        return config;
    }

    private static int Run(GenerateConfig config, Session session)
    {
        var prompts = config.ReadPrompts();
        var (model, loras) = Find(config, session);
        var options = PipelineOptions.Parse(config.Device, config.Dtype);
        var guard = new MemoryGuard(model, config.Device, Planned(config, options));
        var memory = guard.Choose(model, config.Memory, session.Output.WriteLine);
        using var pipeline = guard.Run(() => Load(config, model, options with { Memory = memory.Memory, StreamTransformer = memory.StreamTransformer }, session));
        foreach (var (lora, path) in loras)
            session.Output.WriteLine($"{lora.Path}: {pipeline.LoadLora(path, lora.Weight * config.LoraScale)}");
        var made = ConsoleProgress.Run(session, report =>
        {
            guard.Enter("drawing");
            return guard.Run(() =>
            {
                pipeline.PreparePrompts(Enumerable.Range(0, prompts.Count).Select(i => Request(config, i, prompts)));
                for (var i = 0; i < prompts.Count; i++)
                    Generate(pipeline, config, i, prompts, report, session.Cancellation);
                return prompts.Count * config.NumImages;
            });
        });
        session.Output.WriteLine($"{made} picture{(made == 1 ? string.Empty : "s")} in {config.OutputDir}");
        return ExitCode.Success;
    }

    /// <summary>Where the model and the LoRA lie; names on the hub are downloaded, the small ones first.</summary>
    private static (string Model, List<(WeightedLora Lora, string Path)> Loras) Find(GenerateConfig config, Session session) =>
        ConsoleProgress.Run(session, report =>
        {
            var resolver = new HubResolver(null, session.Warn, new HubProgressLines(report, "Downloading"));
            var loras = config.Loras.Select(lora => (lora, resolver.Lora(lora.Path, cancellation: session.Cancellation))).ToList();
            return (resolver.Model(config.PretrainedModelNameOrPath, config.Revision, config.Variant, session.Cancellation), loras);
        });

    private static MemorySettings Planned(GenerateConfig config, PipelineOptions options) => new()
    {
        Training = TrainingKind.None,
        Dtype = options.Dtype,
        VaeDtype = options.VaeDtype,
        WithT5 = !config.WithoutT5,
        MaxSequenceLength = config.MaxSequenceLength ?? PromptEncoder.DefaultMaxSequenceLength,
        SampleBatchSize = config.NumImages,
        SampleResolution = config.Height is null && config.Width is null ? null : Math.Max(config.Height ?? 0, config.Width ?? 0),
    };

    private static StableDiffusion3Pipeline Load(GenerateConfig config, string model, PipelineOptions options, Session session)
    {
        MiniatureFolder.VerifyIfListed(model);
        var pipeline = StableDiffusion3Pipeline.Load(
            model,
            options with
            {
                TokenizersFolder = config.Tokenizers,
                Variant = config.Variant,
                ComponentsFolder = config.Components,
                WithT5 = !config.WithoutT5,
                CudaGraph = config.CudaGraph,
            });
        pipeline.Prompts.Warn = session.Warn;
        return pipeline;
    }

    private static GenerationRequest Request(GenerateConfig config, int index, IReadOnlyList<string> prompts) => new()
    {
        Prompts = [prompts[index]],
        NegativePrompts = config.NegativePrompt is null ? null : [config.NegativePrompt],
        NumImagesPerPrompt = config.NumImages,
        NumInferenceSteps = config.NumSteps,
        GuidanceScale = config.Guidance,
        Height = config.Height,
        Width = config.Width,
        Seed = (ulong)(config.Seed + index),
        ClipSkip = config.ClipSkip,
        MaxSequenceLength = config.MaxSequenceLength,
        SkipGuidanceLayers = config.SkipLayers,
        SkipLayerGuidanceScale = config.SkipLayerGuidanceScale,
        SkipLayerGuidanceStart = config.SkipLayerGuidanceStart,
        SkipLayerGuidanceStop = config.SkipLayerGuidanceStop,
    };

    private static void Generate(
        StableDiffusion3Pipeline pipeline, GenerateConfig config, int index, IReadOnlyList<string> prompts, ConsoleProgress.Report report, CancellationToken cancellation)
    {
        var images = pipeline.Generate(
            Request(config, index, prompts),
            step => report("Denoising", (index * config.NumSteps) + step.Step, prompts.Count * config.NumSteps, prompts[index]),
            cancellation);
        var folder = Path.Combine(config.OutputDir, PromptFolders.FolderName(index, prompts[index]));
        for (var i = 0; i < images.Count; i++)
            ImageEncoder.Save(Path.Combine(folder, PromptFolders.ImageName(i)), images[i]);
    }
}
