using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary>
/// Compares bfloat16 with the lab's own float32 at the model's full size: the same random weights, each exact in bfloat16, and the same
/// inputs. Products of float32 are computed in full (TF32 off) while it runs.
/// </summary>
/// <param name="options">What and where.</param>
internal sealed class PrecisionCheck(PrecisionOptions options)
{
    private const int TextTokens = 77 + 256;
    private const int TrainingTokens = 77 + 77;
    private const int Batches = 5;
    private const int Rank = 4;
    private const ulong InputSeed = 100;

    private RandomWeights Weights => new(options.Model, options.Device, ScalarType.BFloat16);

    /// <summary>One forward.</summary>
    public ForwardPrecision Forward() => InFullFloat32(() =>
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var narrow = Weights.Transformer();
        var latents = Latents(InputSeed, options.ForwardSize);
        var text = Text(InputSeed + 1, TextTokens);
        var timestep = linspace(300, 700, options.BatchSize, ScalarType.Float32, options.Device);
        Tensor Predict(SD3Transformer2DModel model, ScalarType dtype) =>
            model.forward(latents.to(dtype), timestep, text.PromptEmbeds.to(dtype), text.PooledPromptEmbeds.to(dtype))
                .to(ScalarType.Float32);
        var rounded = Predict(narrow, ScalarType.BFloat16);
        using var wide = Weights.Copy(narrow, ScalarType.Float32);
        var exact = Predict(wide, ScalarType.Float32);
        var error = (rounded - exact).norm() / exact.norm();
        return new ForwardPrecision(error.item<float>(), exact.std().item<float>());
    });

    /// <summary>Four trainings.</summary>
    /// <param name="progress">Told which training begins.</param>
    /// <param name="cancellation">Ends the trainings between two steps.</param>
    public CurvePrecision Curve(Action<string>? progress = null, CancellationToken cancellation = default) => InFullFloat32(() =>
    {
        using var scope = NewDisposeScope();
        using var narrow = Weights.Transformer();
        List<double> Train(string name, SD3Transformer2DModel model, ScalarType dtype, int draws, int lora)
        {
            progress?.Invoke(name);
            return Losses(model, dtype, draws, lora, cancellation);
        }

        var rounded = Train("bfloat16", narrow, ScalarType.BFloat16, 0, 0);
        using var wide = Weights.Copy(narrow, ScalarType.Float32);
        return new CurvePrecision(
            Train("float32", wide, ScalarType.Float32, 0, 0), rounded, Train("float32, another LoRA", wide, ScalarType.Float32, 0, 1),
            Train("float32, another seed", wide, ScalarType.Float32, 1, 1));
    });

    private List<double> Losses(SD3Transformer2DModel transformer, ScalarType dtype, int draws, int lora, CancellationToken cancellation)
    {
        cancellation = cancellation.OrAmbient();
        using var scope = NewDisposeScope();
        var config = RandomWeights.Training with
        {
            Resolution = options.TrainingSize,
            Rank = Rank,
            Seed = draws,
            GradientAccumulationSteps = 1,
            MaxTrainSteps = options.Steps,
            LearningRate = options.LearningRate,
            LrScheduler = LearningRateScheduleKind.Constant,
            LrWarmupSteps = 0,
        };
        var batches = Enumerable.Range(0, Batches).Select(i =>
        {
            var text = Text(InputSeed + 20 + (ulong)i, TrainingTokens);
            return new TrainingBatch(
                Latents(InputSeed + 10 + (ulong)i, options.TrainingSize),
                new PromptEmbeddings(text.PromptEmbeds.to(dtype), text.PooledPromptEmbeds.to(dtype)));
        }).ToArray();
        using var adapter = LoraAdapter.Create(
            "a", [(new LoraComponent("transformer", transformer), config.TransformerLora())], (ulong)lora, options.Device,
            ScalarType.Float32);
        using var trainer = new DreamBoothTrainer(config, transformer, RandomWeights.Scheduler, adapter, new Cycle(batches));
        var losses = new List<double>();
        trainer.Run(new TrainingEvents { OnStep = record => losses.Add(record.Loss) }, cancellation: cancellation);
        cancellation.ThrowIfCancellationRequested();
        return losses;
    }

    // Rounded to bfloat16, so that both precisions see the same values.
    private Tensor Latents(ulong seed, int size)
    {
        long side = size / options.Model.Vae.SpatialFactor;
        return Rounded([options.BatchSize, options.Model.Transformer.InChannels, side, side], seed);
    }

    private PromptEmbeddings Text(ulong seed, int tokens) => new(
        Rounded([options.BatchSize, tokens, options.Model.Transformer.JointAttentionDim], seed),
        Rounded([options.BatchSize, options.Model.Transformer.PooledProjectionDim], seed + 1000));

    private Tensor Rounded(long[] shape, ulong seed) =>
        SeededNoise.Normal(shape, seed, options.Device, ScalarType.BFloat16).to(ScalarType.Float32);

    private static T InFullFloat32<T>(Func<T> work)
    {
        var (products, convolutions) = (backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32);
        backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = false;
        try
        {
            return work();
        }
        finally
        {
            (backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32) = (products, convolutions);
        }
    }

    /// <summary>A few batches, in a circle.</summary>
    private sealed class Cycle(TrainingBatch[] batches) : ITrainingBatches
    {
        public int BatchesPerEpoch => 1 << 20;

        public TrainingBatch Load(int epoch, int index) => batches[index % batches.Length];
    }
}
