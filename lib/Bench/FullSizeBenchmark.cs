using System.Diagnostics;
using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Native.Cuda;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Profiling;
using Dreambooth.Lab.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary>
/// Times what the real model is used for, at its full size with random weights: forwards of the transformer, LoRA training steps, whole
/// pictures, decoding. Each row's models are built for it and freed after it.
/// </summary>
/// <param name="options">What and where.</param>
/// <param name="progress">Told which row begins.</param>
internal sealed partial class FullSizeBenchmark(FullSizeBenchmarkOptions options, Action<string>? progress = null)
{
    /// <summary>The row that only ranks have.</summary>
    public const string AllReduce = "all-reduce";

    // A LoRA of rank 4 on the transformer and both CLIP encoders.
    private const int Summed = 3_950_000;
    private const int ClipTokens = 77;
    private const int PromptTokens = 256;
    private const int TrainingTokens = 77;

    private static readonly string[] Optimizers = ["lion", "prodigy", "adamw_schedulefree", "adafactor"];

    private RandomWeights Weights => new(options.Model, options.Device, options.Dtype);

    private bool OnGpu => options.Device.type == DeviceType.CUDA;

    /// <summary>Names of the rows, in the order in which they are measured.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. new FullSizeBenchmark(new()).Pieces().Select(piece => piece.Name)];

    /// <summary>
    /// Measures the rows; one that fails, such as by running out of memory, is reported as such, and the others continue.
    /// </summary>
    /// <param name="onRow">Receives each row as it is done, or null.</param>
    /// <param name="cancellation">Ends the run between two rows.</param>
    /// <exception cref="LabException">A row that is asked for does not exist.</exception>
    public IReadOnlyList<BenchmarkRow> Run(Action<BenchmarkRow>? onRow = null, CancellationToken cancellation = default)
    {
        cancellation = cancellation.OrAmbient();
        var all = Pieces();
        var chosen = (options.Rows ?? Names).Select(name => all.FirstOrDefault(piece => piece.Name == name) is { Name: not null } piece
            ? piece : throw new LabException($"There is no row '{name}'; the rows are {string.Join(", ", Names)}.")).ToList();
        using var timeline = new MemoryTimeline(GpuMemory.IndexOf(options.Device));
        var rows = new List<BenchmarkRow>();
        foreach (var (name, work, measure) in chosen)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Invoke(work);
            var row = Guarded(new BenchmarkRow(name, work), measure, timeline);
            rows.Add(row);
            onRow?.Invoke(row);
        }

        return rows;
    }

    private List<(string Name, string Work, Func<List<double>, bool> Measure)> Pieces()
    {
        int large = options.LargeSize, small = options.SmallSize;
        return
        [
            ("forward-b2-large", $"transformer forward, batch 2, {large}×{large}", times => Forward(times, 2, large)),
            ("forward-b8-large", $"transformer forward, batch 8, {large}×{large}", times => Forward(times, 8, large)),
            ("forward-b8-large-fp8", "the same, the blocks' products in 8 bits", times => Forward(times, 8, large, Quantization.Fp8)),
            ("forward-b2-large-fp8", "the same, batch 2", times => Forward(times, 2, large, Quantization.Fp8)),
            ("forward-b2-small", $"transformer forward, batch 2, {small}×{small}", times => Forward(times, 2, small)),
            ("lora-step", $"LoRA step, batch 2, {small}×{small}, rank 4, cached latents and prompts",
                times => LoraStep(times, static config => config)),
            ("lora-step-checkpointed", "the same with gradient checkpointing",
                times => LoraStep(times, config => config with { GradientCheckpointing = true })),
            .. new[] { LoraVariant.Dora, LoraVariant.Loha, LoraVariant.Lokr }.Select(variant => (
                $"lora-step-{Flag.Format(variant)}", $"the LoRA step with lora_variant {Flag.Format(variant)}",
                (Func<List<double>, bool>)(times => LoraStep(times, config => config with { LoraVariant = variant })))),
            ("lora-step-dropout", "the LoRA step with lora_dropout 0.1",
                times => LoraStep(times, config => config with { LoraDropout = 0.1 })),
            ("lora-step-bias", "the LoRA step with lora_bias", times => LoraStep(times, config => config with { LoraBias = true })),
            .. Optimizers.Select(optimizer => (
                $"lora-step-{optimizer}", $"the LoRA step with optimizer {optimizer}",
                (Func<List<double>, bool>)(times => LoraStep(times, config => config with { Optimizer = optimizer })))),
            ("lora-step-8bit", "the LoRA step with use_8bit_adam", times => LoraStep(times, config => config with { Use8bitAdam = true })),
            ("recipe-step", "whole recipe step: accumulation 4, CLIP LoRA trained, prior preservation", RecipeStep),
            ("vae-decode", $"VAE decode {large}×{large}", times => Decode(times, large)),
            ("vae-encode", $"VAE encode {small}×{small}", times => Encode(times, small)),
            ("pictures", $"{options.Images} pictures {large}×{large}, {options.Steps} steps, guidance, text encoding and decode",
                times => Pictures(times, static request => request, Quantization.None)),
            .. Approximation.Faster.Select(faster => (
                $"pictures-{faster.Name}", $"the same, {faster.Title}",
                (Func<List<double>, bool>)(times => Pictures(times, request => faster.Of(request), faster.Quantization)))),
            ("pictures-balanced", "the same, text encoders and autoencoder read while they are used", PicturesBalanced),
            .. options.Collective is null ? Array.Empty<(string, string, Func<List<double>, bool>)>()
                : [(AllReduce, FormattableString.Invariant($"sum of {Summed:N0} numbers over all ranks"), Sum)],
        ];
    }

    private bool Sum(List<double> times) => Measure(
        times, options.Repeats, () => zeros([Summed], ScalarType.Float32, options.Device), numbers => new Piece(() =>
    {
        options.Collective!.Sum(numbers);
        Wait();
        if (options.Collective.Settle() is { } failure)
            throw failure;
    }));

    private BenchmarkRow Guarded(BenchmarkRow row, Func<List<double>, bool> measure, MemoryTimeline timeline)
    {
        CachedMemory.Release(options.Device);
        var pool = CudaPool.Of(options.Device);
        pool?.ResetPeaks();
        var times = new List<double>();
        try
        {
            row = row with { Recorded = timeline.Run(row.Work, () => measure(times)) };
        }
        catch (Exception error) when (error is LabException or ExternalException or InvalidOperationException or ArgumentException)
        {
            row = row with { Failure = OutOfMemory.Reason(error) };
        }

        times.Sort();
        var profile = timeline.Profile();
        return row with
        {
            Milliseconds = row.Failure is null ? times[times.Count / 2] : null,
            Times = times,
            Peak = profile.PeakOf(row.Work) ?? 0,
            Figure = profile.Figure.ToString(),
            AllocatedPeak = pool?.UsedPeak,
            ReservedPeak = pool?.ReservedPeak,
        };
    }

    private bool Forward(List<double> times, int batch, int size, Quantization quantization = Quantization.None) =>
        Measure(times, options.Repeats, () => Weights.Transformer(quantization), transformer =>
    {
        var text = Text(batch, ClipTokens + PromptTokens);
        var latents = Latents(batch, size).to(options.Dtype);
        var timestep = full([batch], 500f, ScalarType.Float32, options.Device);
        void Step()
        {
            using var noGradients = no_grad();
            using var output = transformer.forward(latents, timestep, text.PromptEmbeds, text.PooledPromptEmbeds);
        }

        if (!options.CudaGraph || !OnGpu)
            return new Piece(Step);
        var graph = CudaGraph.Capture(options.Device, Step);
        return new Piece(graph.Launch, graph) { IsRecorded = () => true };
    });

    private bool LoraStep(List<double> times, Func<DreamBoothConfig, DreamBoothConfig> change) =>
        Measure(times, options.Repeats, () => Weights.Transformer(), transformer =>
    {
        var config = change(Config());
        var text = Text(2, ClipTokens + TrainingTokens);
        return Steps(
            config, transformer, [(new LoraComponent("transformer", transformer), config.TransformerLora())],
            new RepeatedBatch(Latents(2, options.SmallSize), text));
    });

    private bool RecipeStep(List<double> times) => Measure(times, options.Repeats, () => new Trained(Weights), models =>
    {
        var config = Config() with
        {
            GradientAccumulationSteps = 4,
            TrainTextEncoder = true,
            WithPriorPreservation = true,
            PriorLossWeight = 0.05,
        };
        var t5 = randn([2, TrainingTokens, options.Model.Transformer.JointAttentionDim], options.Dtype, options.Device);
        LoraComponent transformer = new("transformer", models.Transformer), clip = new("text_encoder", models.Prompts.Clip), clip2 = new(
            "text_encoder_2", models.Prompts.Clip2);
        return Steps(
            config, models.Transformer,
            [(transformer, config.TransformerLora()), (clip, config.TextEncoderLora()), (clip2, config.TextEncoderLora())],
            new RepeatedBatch(Latents(2, options.SmallSize), TrainingText.Of(models.Prompts, ["instance", "class"], t5)));
    });

    private bool Decode(List<double> times, int size) => Measure(times, options.Repeats, () => Weights.Vae(), vae =>
    {
        var latents = Latents(1, size).to(options.Dtype);
        return new Piece(() =>
        {
            using var noGradients = no_grad();
            using var picture = vae.Decode(latents);
        });
    });

    private bool Encode(List<double> times, int size) => Measure(times, options.Repeats, () => Weights.Vae(), vae =>
    {
        var picture = randn([1, options.Model.Vae.InChannels, size, size], options.Dtype, options.Device);
        return new Piece(() =>
        {
            using var noGradients = no_grad();
            using var latents = vae.Encode(picture);
        });
    });

    private bool Pictures(List<double> times, Func<GenerationRequest, GenerationRequest> change, Quantization quantization) => Generate(
        times,
        () => StableDiffusion3Pipeline.Of(
            Weights.Prompts(withT5: true, PromptTokens), Weights.Transformer(quantization), Weights.Vae(), RandomWeights.Scheduler,
            Drawing),
        change);

    private bool PicturesBalanced(List<double> times)
    {
        var folder = options.ModelFolder?.Invoke() ?? throw new LabException("no model folder is given, from which weights could be read");
        return Generate(times, () => StableDiffusion3Pipeline.Load(folder, Drawing with { Memory = MemoryMode.Balanced }),
            static request => request);
    }

    private PipelineOptions Drawing => new()
    {
        Device = options.Device,
        Dtype = options.Dtype,
        VaeDtype = options.Dtype,
        CudaGraph = options.CudaGraph,
    };

    private bool Generate(
        List<double> times, Func<StableDiffusion3Pipeline> load, Func<GenerationRequest, GenerationRequest> change) =>
        Measure(times, Math.Max(1, options.Repeats / 5), load, pipeline => new Piece(() => pipeline.Generate(change(new GenerationRequest
        {
            Prompts = ["a prompt"],
            NumImagesPerPrompt = options.Images,
            NumInferenceSteps = options.Steps,
            GuidanceScale = 4.5,
            Width = options.LargeSize,
            Height = options.LargeSize,
        }))));

    private DreamBoothConfig Config() => RandomWeights.Training with
    {
        Resolution = options.SmallSize,
        Rank = 4,
        MaxTrainSteps = 1 << 20,
        CudaGraph = options.CudaGraph,
    };

    private Piece Steps(
        DreamBoothConfig config, SD3Transformer2DModel transformer, IReadOnlyList<(LoraComponent, LoraConfig)> components,
        ITrainingBatches batches)
    {
        var device = transformer.ProjOut.Weight.device;
        var adapter = LoraAdapter.Create("a", components, 0, device, ScalarType.Float32);
        var refused = false;
        config = config with { GradientAccumulationSteps = config.GradientAccumulationSteps * (options.Collective?.Ranks.Count ?? 1) };
        var trainer = new DreamBoothTrainer(config, transformer, RandomWeights.Scheduler, adapter, batches)
        {
            Collective = options.Collective,
        };
        var events = new TrainingEvents { OnWarning = _ => refused = true };
        return new Piece(
            () => trainer.Run(events, until: trainer.StepsDone + 1), trainer,
            adapter)
        { IsRecorded = () => config.CudaGraph && device.type == DeviceType.CUDA && !refused };
    }

    private bool Measure<T>(List<double> times, int repeats, Func<T> build, Func<T, Piece> prepare)
        where T : IDisposable
    {
        using var scope = NewDisposeScope();
        using var models = build();
        using var piece = prepare(models);
        var warmUps = repeats < options.Repeats ? Math.Min(1, options.WarmUps) : options.WarmUps;
        for (var i = 0; i < warmUps + repeats; i++)
        {
            using var inner = NewDisposeScope();
            Wait();
            var start = Stopwatch.GetTimestamp();
            piece.Step();
            Wait();
            if (i >= warmUps)
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return piece.IsRecorded();
    }

    private void Wait()
    {
        if (OnGpu)
            cuda.synchronize(options.Device);
    }
}
