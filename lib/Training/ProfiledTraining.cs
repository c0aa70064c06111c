using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Profiling;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// A real, short run under a <see cref="MemoryTimeline"/>, in six phases: <c>load</c> the models, <c>encode</c> a prompt, <c>cache</c>
/// latents and prompts, optimizer <c>step</c>s, <c>sample</c> latents, <c>decode</c> them. It saves nothing.
/// </summary>
internal static class ProfiledTraining
{
    /// <summary>Runs it.</summary>
    /// <param name="config">
    /// What is trained and how. Memory does not depend on what pictures show: with prior preservation, instance pictures stand in for the
    /// class pictures.
    /// </param>
    /// <param name="steps">Optimizer steps, 1 or more; the second and later ones need what the first does, once kernels are warm.</param>
    /// <param name="sample">What is generated afterwards.</param>
    /// <param name="onPhase">Told the name of each phase as it begins.</param>
    /// <param name="cancellation">Ends the run.</param>
    /// <returns>The measured memory.</returns>
    /// <exception cref="LabException">The configuration, the model or a picture is wrong.</exception>
    public static MemoryProfile Run(
        DreamBoothConfig config, int steps, GenerationRequest sample, Action<string>? onPhase = null,
        CancellationToken cancellation = default)
    {
        cancellation = cancellation.OrAmbient();
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(sample);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        config = config.PerSubject()[0];
        config = config with
        {
            ClassDataDir = config.UsesClassPictures ? config.InstanceDataDir : null,
            MaxTrainSteps = steps,
            Seed = config.Seed ?? 0,
        };
        config.Validate();
        var device = DeviceSelection.Parse(config.Device);
        var dataset = DreamBoothDataset.Load(config.DatasetOptions() with { NumClassImages = null });
        using var timeline = new MemoryTimeline(GpuMemory.IndexOf(device));
        T Phase<T>(string name, Func<T> work)
        {
            cancellation.ThrowIfCancellationRequested();
            onPhase?.Invoke(name);
            return timeline.Run(name, work);
        }

        using var scope = NewDisposeScope();
        using var pipeline = Phase("load", () => TrainingSession.LoadPipeline(config, cancellation: cancellation));
        Phase("encode", () => Encode(pipeline, config));
        using var batches = Phase(
            "cache",
            () => DreamBoothBatches.Prepare(dataset, pipeline, config, (ulong)config.Seed!.Value, cancellation: cancellation));
        using (var adapter = Phase("step", () => Train(pipeline, batches, config, cancellation)))
        {
            var latents = Phase("sample", () => pipeline.Denoise(sample, cancellation: cancellation));
            Phase("decode", () => pipeline.Decode(latents).shape);
        }

        return timeline.Profile();
    }

    private static long Encode(StableDiffusion3Pipeline pipeline, DreamBoothConfig config)
    {
        using var noGradients = no_grad();
        using var text = pipeline.Prompts.Encode(
            [config.InstancePrompt], Math.Min(config.MaxSequenceLength, pipeline.Prompts.Tokenizer3?.ModelMaxLength ?? int.MaxValue));
        return text.Rows;
    }

    // The adapter and its optimizer's state stay alive, as they do while a training run generates its validation pictures.
    private static TrainedState Train(
        StableDiffusion3Pipeline pipeline, DreamBoothBatches batches, DreamBoothConfig config, CancellationToken cancellation)
    {
        var adapter = config.CreateAdapter(pipeline);
        var trainer = new DreamBoothTrainer(
            config.For(pipeline.Options.Memory), pipeline.Transformer, pipeline.SchedulerConfig, adapter, batches);
        trainer.Run(cancellation: cancellation);
        trainer.ForgetRecordings();
        return new TrainedState(adapter, trainer);
    }

    private sealed record TrainedState(LoraAdapter Adapter, DreamBoothTrainer Trainer) : IDisposable
    {
        public void Dispose()
        {
            Trainer.Dispose();
            Adapter.Dispose();
        }
    }
}
