using System.Diagnostics;
using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Native.Cuda;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Profiling;
using Dreambooth.Lab.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary>
/// Runs a program's phases with random weights and compares the peaks with what <see cref="MemoryPlanner"/> predicts: load, encode a
/// prompt, encode a picture, two optimizer steps, one denoising step, decode.
/// </summary>
/// <param name="model">The sizes.</param>
/// <param name="device">Where.</param>
internal sealed class MemoryCalibration(ModelArchitecture model, Device device)
{
    private const int Steps = 2;

    private readonly MemoryPlanner _planner = new(model);

    /// <summary>
    /// Runs a case; memory of earlier ones has been given back before. A failure, such as running out of memory, is in the row.
    /// </summary>
    /// <param name="test">The case.</param>
    public CalibrationRow Run(CalibrationCase test)
    {
        ArgumentNullException.ThrowIfNull(test);
        CachedMemory.Release(device);
        using var watch = new Watch(device, _planner.Forecast(test.Settings));
        string? failure = null;
        try
        {
            using var scope = NewDisposeScope();
            RunPhases(test.Settings, watch);
        }
        catch (Exception error) when (error is LabException or ExternalException or InvalidOperationException or ArgumentException)
        {
            failure = $"{watch.Current}: {OutOfMemory.Reason(error)}";
        }

        return new CalibrationRow(test.Name, watch.Figure, watch.Phases, failure);
    }

    private void RunPhases(MemorySettings settings, Watch watch)
    {
        using var pipeline = watch.Run("load", () => Load(settings));
        using var text = watch.Run("encode", () => Encode(pipeline, settings, ["a prompt"]));
        if (settings.Training == TrainingKind.None)
        {
            Generate(pipeline, settings, watch);
            return;
        }

        watch.Run("cache", () => EncodePicture(pipeline, settings));
        using var t5 = pipeline.Prompts.EncodeT5(Prompts(settings), settings.MaxSequenceLength).detach();
        if (settings.FreeT5)
            pipeline.Prompts.UnloadT5();
        using var trained = watch.Run("step", () => Train(pipeline, settings, t5));
        Generate(pipeline, settings, watch);
    }

    private StableDiffusion3Pipeline Load(MemorySettings settings)
    {
        RandomWeights weights = new(model, device, settings.Dtype), vae = new(model, device, settings.VaeDtype);
        var prompts = weights.Prompts(settings.WithT5, settings.MaxSequenceLength);
        return StableDiffusion3Pipeline.Of(
            prompts, weights.Transformer(), vae.Vae(), RandomWeights.Scheduler, new PipelineOptions
            {
                Device = device,
                Dtype = settings.Dtype,
                VaeDtype = settings.VaeDtype,
            });
    }

    private static PromptEmbeddings Encode(StableDiffusion3Pipeline pipeline, MemorySettings settings, string[] prompts)
    {
        using var noGradients = no_grad();
        return pipeline.Prompts.Encode(prompts, settings.MaxSequenceLength);
    }

    private object? EncodePicture(StableDiffusion3Pipeline pipeline, MemorySettings settings)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var latents = pipeline.Vae.Encode(
            randn([1, model.Vae.InChannels, settings.Resolution, settings.Resolution], settings.VaeDtype, device));
        return null;
    }

    private static string[] Prompts(MemorySettings settings) =>
        [.. Enumerable.Range(0, settings.Rows)
            .Select(row => settings.WithPriorPreservation && row >= settings.TrainBatchSize ? "class" : "instance")];

    private TrainedState Train(StableDiffusion3Pipeline pipeline, MemorySettings settings, Tensor t5)
    {
        var config = Config(settings);
        IEnumerable<(LoraComponent, LoraConfig)> components = [(pipeline.LoraComponents[0], config.TransformerLora())];
        if (settings.TrainTextEncoder)
            components = components.Concat(pipeline.LoraComponents.Skip(1).Select(component => (component, config.TextEncoderLora())));
        var adapter = LoraAdapter.Create("a", [.. components], 0, device, ScalarType.Float32);
        var side = settings.Resolution / model.Vae.SpatialFactor;
        var latents = randn([settings.Rows, model.Transformer.InChannels, side, side], ScalarType.Float32, device);
        var trainer = new DreamBoothTrainer(
            config, pipeline.Transformer, RandomWeights.Scheduler, adapter,
            new RepeatedBatch(latents, Text(pipeline.Prompts, settings, t5)));
        trainer.Run();
        return new TrainedState(adapter, trainer);
    }

    private static TrainingText Text(PromptEncoder encoder, MemorySettings settings, Tensor t5)
    {
        var text = TrainingText.Of(encoder, Prompts(settings), t5);
        if (settings.TrainTextEncoder)
            return text;
        using var noGradients = no_grad();
        return text.Embeddings();
    }

    private static DreamBoothConfig Config(MemorySettings settings) => RandomWeights.Training with
    {
        ClassPrompt = settings.WithPriorPreservation ? "none" : null,
        Resolution = settings.Resolution,
        TrainBatchSize = settings.TrainBatchSize,
        WithPriorPreservation = settings.WithPriorPreservation,
        Rank = settings.Rank,
        LoraVariant = settings.Variant,
        LoraBias = settings.LoraBias,
        LoraDropout = settings.LoraDropout,
        TrainTextEncoder = settings.TrainTextEncoder,
        GradientCheckpointing = settings.GradientCheckpointing,
        GradientAccumulationSteps = 1,
        MaxTrainSteps = Steps,
    };

    private static void Generate(StableDiffusion3Pipeline pipeline, MemorySettings settings, Watch watch)
    {
        using var latents = watch.Run("sample", () => pipeline.Denoise(new GenerationRequest
        {
            Prompts = ["a prompt"],
            NumImagesPerPrompt = settings.SampleBatchSize,
            NumInferenceSteps = 1,
            GuidanceScale = 4.5,
            Width = settings.SampleResolution,
            Height = settings.SampleResolution,
            MaxSequenceLength = settings.MaxSequenceLength,
        }));
        watch.Run<object?>("decode", () =>
        {
            pipeline.Decode(latents).Dispose();
            return null;
        });
    }

    /// <summary>What stays while validation pictures are generated.</summary>
    private sealed record TrainedState(LoraAdapter Adapter, DreamBoothTrainer Trainer) : IDisposable
    {
        public void Dispose()
        {
            Trainer.Dispose();
            Adapter.Dispose();
        }
    }

    /// <summary>Measures phases: what tensors hold where that is counted, and the device's or the process's figure.</summary>
    private sealed class Watch(Device device, MemoryForecast forecast) : IDisposable
    {
        private readonly CudaPool? _pool = CudaPool.Of(device);
        private readonly MemoryTimeline _timeline = new(GpuMemory.IndexOf(device));
        private readonly List<CalibrationPhase> _phases = [];
        private long? _before;

        public IReadOnlyList<CalibrationPhase> Phases => _phases;

        public string Current { get; private set; } = string.Empty;

        public string Figure => _pool is null ? _timeline.Profile().Figure.ToString() : MeasuredRun.Allocated;

        public T Run<T>(string phase, Func<T> work)
        {
            Current = phase;
            _pool?.ResetPeaks();
            _before ??= _pool?.Used;
            var clock = Stopwatch.StartNew();
            var result = _timeline.Run(phase, () =>
            {
                var made = work();
                if (device.type == DeviceType.CUDA)
                    cuda.synchronize(device);
                return made;
            });
            var seen = _timeline.Profile().PeakOf(phase) ?? 0;
            var held = _pool is null ? seen : _pool.UsedPeak - _before!.Value;
            _phases.Add(new CalibrationPhase(phase, forecast.PeakOf(phase) ?? 0, held, seen, clock.Elapsed.TotalSeconds));
            return result;
        }

        public void Dispose() => _timeline.Dispose();
    }
}
