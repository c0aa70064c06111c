using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>The committed transformer with a LoRA and made-up micro-batches of 4×4 latents, for tests of the training loop.</summary>
internal sealed class TinyTraining : ITrainingBatches, IDisposable
{
    private readonly SD3Transformer2DModel _transformer;
    private readonly ScalarType _dtype;
    private readonly FlowMatchEulerDiscreteSchedulerConfig _scheduler = FlowMatchEulerDiscreteSchedulerConfig.Read(
        Path.Combine(TinyPipeline.Folder, "scheduler", "scheduler_config.json"));

    public TinyTraining(ScalarType dtype = ScalarType.Float32)
    {
        _dtype = dtype;
        _transformer = SD3Transformer2DModel.Load(Path.Combine(TinyPipeline.Folder, "transformer"), CPU, dtype);
        Adapter = LoraAdapter.Create(
            "a",
            [(new LoraComponent("transformer", _transformer), new LoraConfig { Rank = 2, TargetModules = ["attn.to_q", "attn.to_v"] })],
            0, CPU, ScalarType.Float32);
    }

    public static DreamBoothConfig Config { get; } = new()
    {
        PretrainedModelNameOrPath = TinyPipeline.Folder,
        InstanceDataDir = "made up",
        InstancePrompt = "made up",
        LearningRate = 1e-2,
        Seed = 1,
    };

    /// <summary>A whole training of the committed model, from photos to a LoRA; the steps are the caller's.</summary>
    public static DreamBoothConfig Run(string photos, string output) => new()
    {
        PretrainedModelNameOrPath = TinyPipeline.Folder,
        InstanceDataDir = photos,
        InstancePrompt = "a cat",
        OutputDir = output,
        Resolution = 32,
        MaxSequenceLength = 8,
        TrainBatchSize = 1,
        Seed = 1,
        Device = "cpu",
    };

    /// <summary>A LoRA on the transformer and both CLIP encoders of a pipeline; it is the caller's.</summary>
    /// <param name="pipeline">The models.</param>
    /// <param name="b">Every number of its matrices B; 0 changes nothing.</param>
    public static LoraAdapter AdapterOf(StableDiffusion3Pipeline pipeline, double b)
    {
        var adapter = LoraAdapter.Create(
            "a",
            [
                (pipeline.LoraComponents[0], new LoraConfig { Rank = 2, TargetModules = ["attn.to_q", "attn.to_v"] }),
                (pipeline.LoraComponents[1], new LoraConfig { Rank = 2, TargetModules = ["q_proj"] }),
                (pipeline.LoraComponents[2], new LoraConfig { Rank = 2, TargetModules = ["q_proj"] }),
            ],
            0, CPU, ScalarType.Float32);
        using (no_grad())
            adapter.Layers.ToList().ForEach(layer => layer.Weights.B.fill_(b));
        return adapter;
    }

    public LoraAdapter Adapter { get; }

    public int BatchesPerEpoch { get; init; } = 3;

    /// <summary>The micro-batches that were loaded, in order.</summary>
    public List<(int Epoch, int Index)> Loaded { get; } = [];

    /// <summary>The micro-batch whose latents are no numbers.</summary>
    public int? BrokenAt { get; init; }

    public DreamBoothTrainer Trainer(DreamBoothConfig config, ITrainingDraws? draws = null, ICollective? collective = null) =>
        new(config, _transformer, _scheduler, Adapter, this, draws) { Collective = collective };

    public float[] Weights => Adapter.Parameters.data<float>().ToArray();

    public TrainingBatch Load(int epoch, int index)
    {
        Loaded.Add((epoch, index));
        using var scope = NewDisposeScope();
        var latents = SeededNoise.Normal([2, 16, 4, 4], (ulong)index);
        if (BrokenAt == Loaded.Count - 1)
            latents = latents * float.NaN;
        var text = new PromptEmbeddings(SeededNoise.Normal([2, 3, 28], 100).to(_dtype), SeededNoise.Normal([2, 24], 101).to(_dtype));
        return new TrainingBatch(latents.MoveToOuterDisposeScope(), text.MoveToOuterDisposeScope());
    }

    public void Dispose()
    {
        Adapter.Dispose();
        _transformer.Dispose();
    }
}
