using System.Diagnostics;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Profiling;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Planning;

/// <summary>
/// Times what the real model is used for, at its full size with random weights: forwards of the transformer, LoRA training steps, whole
/// pictures, decoding. Each row's models are built for it and freed after it.
/// </summary>
/// <param name="options">What and where.</param>
/// <param name="progress">Told which row begins.</param>
public sealed class FullSizeBenchmark(FullSizeBenchmarkOptions options, Action<string>? progress = null)
{
    private const int ClipTokens = 77;
    private const int PromptTokens = 256;
    private const int TrainingTokens = 77;

    private static readonly FlowMatchEulerDiscreteSchedulerConfig Scheduler = new() { Shift = 3 };

    private RandomWeights Weights => new(options.Model, options.Device, options.Dtype);

    /// <summary>Measures every row; one that runs out of memory is reported as such, the others go on.</summary>
    /// <param name="cancellation">Ends the run between two rows.</param>
    public IReadOnlyList<BenchmarkRow> Run(CancellationToken cancellation = default)
    {
        int large = options.LargeSize, small = options.SmallSize;
        (string Work, Func<string, BenchmarkRow> Measure)[] rows =
        [
            ($"transformer forward, batch 2, {large}×{large}", work => Forward(work, 2, large)),
            ($"transformer forward, batch 8, {large}×{large}", work => Forward(work, 8, large)),
            ($"transformer forward, batch 2, {small}×{small}", work => Forward(work, 2, small)),
            ($"LoRA step, batch 2, {small}×{small}, rank 4, cached latents and prompts", work => LoraStep(work, checkpointing: false)),
            ("the same with gradient checkpointing", work => LoraStep(work, checkpointing: true)),
            ("whole recipe step: accumulation 4, CLIP LoRA trained, prior preservation", RecipeStep),
            ($"VAE decode {large}×{large}", work => Decode(work, large)),
            ($"{options.Images} pictures {large}×{large}, {options.Steps} steps, guidance, text encoding and decode", Pictures),
        ];
        var results = new List<BenchmarkRow>();
        foreach (var (work, measure) in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Invoke(work);
            results.Add(Guarded(work, measure));
        }

        return results;
    }

    private static BenchmarkRow Guarded(string work, Func<string, BenchmarkRow> measure)
    {
        try
        {
            return measure(work);
        }
        catch (Exception error) when (OutOfMemory.Is(error))
        {
            var requested = OutOfMemory.Requested(error);
            return new BenchmarkRow(work, null, 0, 0, "out of memory" + (requested is { } bytes ? $", {Foundation.ByteSize.Text(bytes)} more were asked for" : string.Empty));
        }
    }

    private BenchmarkRow Forward(string work, int batch, int size) => Measure(work, options.Repeats, () => Weights.Transformer(), transformer =>
    {
        var text = Text(batch, ClipTokens + PromptTokens);
        var latents = Latents(batch, size).to(options.Dtype);
        var timestep = full([batch], 500f, ScalarType.Float32, options.Device);
        return new Piece(() =>
        {
            using var noGradients = no_grad();
            using var output = transformer.forward(latents, timestep, text.PromptEmbeds, text.PooledPromptEmbeds);
        });
    });

    private BenchmarkRow LoraStep(string work, bool checkpointing) => Measure(work, options.Repeats, () => Weights.Transformer(), transformer =>
    {
        var config = Config() with { GradientCheckpointing = checkpointing };
        var text = Text(2, ClipTokens + TrainingTokens);
        return Steps(config, transformer, [(new LoraComponent("transformer", transformer), config.TransformerLora())], new RepeatedBatch(Latents(2, options.SmallSize), text));
    });

    private BenchmarkRow RecipeStep(string work) => Measure(work, options.Repeats, () => new Trained(Weights, options.Model.Transformer.JointAttentionDim), models =>
    {
        var config = Config() with { GradientAccumulationSteps = 4, TrainTextEncoder = true, WithPriorPreservation = true, PriorLossWeight = 0.05 };
        var t5 = randn([2, TrainingTokens, options.Model.Transformer.JointAttentionDim], options.Dtype, options.Device);
        var (clipIds, clip2Ids) = models.Prompts.ClipIds(["instance", "class"]);
        LoraComponent transformer = new("transformer", models.Transformer), clip = new("text_encoder", models.Prompts.Clip), clip2 = new("text_encoder_2", models.Prompts.Clip2);
        return Steps(
            config, models.Transformer, [(transformer, config.TransformerLora()), (clip, config.TextEncoderLora()), (clip2, config.TextEncoderLora())],
            new RepeatedBatch(Latents(2, options.SmallSize), new TrainingText([clipIds, clip2Ids, t5], inputs => models.Prompts.EncodeIds(inputs[0], inputs[1], inputs[2]))));
    });

    private BenchmarkRow Decode(string work, int size) => Measure(work, options.Repeats, () => Weights.Vae(), vae =>
    {
        var latents = Latents(1, size).to(options.Dtype);
        return new Piece(() =>
        {
            using var noGradients = no_grad();
            using var picture = vae.Decode(latents);
        });
    });

    private BenchmarkRow Pictures(string work) => Measure(work, Math.Max(1, options.Repeats / 5), Pipeline, pipeline => new Piece(() => pipeline.Generate(new GenerationRequest
    {
        Prompts = ["a prompt"],
        NumImagesPerPrompt = options.Images,
        NumInferenceSteps = options.Steps,
        GuidanceScale = 4.5,
        Width = options.LargeSize,
        Height = options.LargeSize,
    })));

    private StableDiffusion3Pipeline Pipeline() => StableDiffusion3Pipeline.Of(
        Trained.Encoder(Weights, Weights.T5(), options.Model.Transformer.JointAttentionDim), Weights.Transformer(), Weights.Vae(), Scheduler,
        new PipelineOptions { Device = options.Device, Dtype = options.Dtype, VaeDtype = options.Dtype });

    private DreamBoothConfig Config() => new()
    {
        PretrainedModelNameOrPath = "random",
        InstanceDataDir = "none",
        InstancePrompt = "none",
        Resolution = options.SmallSize,
        Rank = 4,
        Seed = 0,
        MaxTrainSteps = 1 << 20,
        LearningRate = 1e-6,
        TextEncoderLr = 1e-6,
        CudaGraph = options.CudaGraph,
    };

    private static Piece Steps(
        DreamBoothConfig config, SD3Transformer2DModel transformer, IReadOnlyList<(LoraComponent, LoraConfig)> components, ITrainingBatches batches)
    {
        var device = transformer.ProjOut.Weight.device;
        var adapter = LoraAdapter.Create("a", components, 0, device, ScalarType.Float32);
        var trainer = new DreamBoothTrainer(config, transformer, Scheduler, adapter, batches);
        return new Piece(() => trainer.Run(until: trainer.StepsDone + 1), trainer, adapter);
    }

    private Tensor Latents(int batch, int size)
    {
        long side = size / options.Model.Vae.SpatialFactor;
        return randn([batch, options.Model.Transformer.InChannels, side, side], ScalarType.Float32, options.Device);
    }

    private PromptEmbeddings Text(int batch, int tokens) => new(
        randn([batch, tokens, options.Model.Transformer.JointAttentionDim], options.Dtype, options.Device),
        randn([batch, options.Model.Transformer.PooledProjectionDim], options.Dtype, options.Device));

    private BenchmarkRow Measure<T>(string work, int repeats, Func<T> build, Func<T, Piece> prepare)
        where T : IDisposable
    {
        var onGpu = options.Device.type == DeviceType.CUDA;
        using var timeline = new MemoryTimeline(onGpu ? Math.Max(options.Device.index, 0) : null);
        var times = new List<double>();
        timeline.Run(work, () =>
        {
            using var scope = NewDisposeScope();
            using var models = build();
            using var piece = prepare(models);
            for (var i = 0; i < options.WarmUps + repeats; i++)
            {
                using var inner = NewDisposeScope();
                Wait(onGpu);
                var start = Stopwatch.GetTimestamp();
                piece.Step();
                Wait(onGpu);
                if (i >= options.WarmUps)
                    times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        });
        times.Sort();
        return new BenchmarkRow(work, times[times.Count / 2], repeats, timeline.Profile().Peak);
    }

    private static void Wait(bool onGpu)
    {
        if (onGpu)
            cuda.synchronize();
    }

    /// <summary>What is timed, and what it needs beside the models.</summary>
    private sealed record Piece(Action Step, params IDisposable[] Owned) : IDisposable
    {
        public void Dispose() => Array.ForEach(Owned, owned => owned.Dispose());
    }

    /// <summary>What is on the device while a recipe trains: the transformer and the CLIP encoders.</summary>
    private sealed class Trained(RandomWeights weights, long textWidth) : IDisposable
    {
        public SD3Transformer2DModel Transformer { get; } = weights.Transformer();

        public PromptEncoder Prompts { get; } = Encoder(weights, null, textWidth);

        public static PromptEncoder Encoder(RandomWeights weights, Models.TextEncoders.T5EncoderModel? t5, long textWidth) =>
            new(weights.Clip(), weights.Clip2(), t5, new FixedTokenizer(), new FixedTokenizer(), new FixedTokenizer { ModelMaxLength = PromptTokens }, textWidth);

        public void Dispose()
        {
            Prompts.Dispose();
            Transformer.Dispose();
        }
    }
}
