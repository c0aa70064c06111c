using Dreambooth.Lab.Native;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary>What <see cref="FullSizeBenchmark"/> measures and where.</summary>
internal sealed record FullSizeBenchmarkOptions
{
    /// <summary>Every row at a size that a processor does in seconds: what the rows do, not how fast the real model is.</summary>
    public static FullSizeBenchmarkOptions Tiny { get; } = new()
    {
        Model = ModelArchitecture.Of(new SingleFilePreset
        {
            Name = "a tiny model",
            Transformer = new()
            {
                NumLayers = 3,
                NumAttentionHeads = 2,
                AttentionHeadDim = 16,
                CaptionProjectionDim = 32,
                JointAttentionDim = 64,
                PooledProjectionDim = 32,
                PosEmbedMaxSize = 16,
                QkNorm = "rms_norm",
                DualAttentionLayers = [0],
            },
            Vae = SingleFilePreset.Sd35Medium.Vae with { BlockOutChannels = [8, 8, 16, 16], NormNumGroups = 4, LayersPerBlock = 1 },
            Clip = new()
            {
                VocabSize = 2000,
                HiddenSize = 16,
                IntermediateSize = 32,
                NumHiddenLayers = 2,
                NumAttentionHeads = 2,
                ProjectionDim = 16,
            },
            Clip2 = new()
            {
                VocabSize = 2000,
                HiddenSize = 16,
                IntermediateSize = 32,
                NumHiddenLayers = 2,
                NumAttentionHeads = 2,
                ProjectionDim = 16,
                HiddenAct = "gelu",
            },
            T5 = new() { VocabSize = 2000, DModel = 64, DKv = 16, DFf = 64, NumLayers = 2, NumHeads = 2, FeedForwardProj = "gated-gelu" },
        }),
        Dtype = ScalarType.Float32,
        LargeSize = 64,
        SmallSize = 32,
        Steps = 2,
        Images = 2,
        Repeats = 3,
        WarmUps = 1,
    };

    /// <summary>The model's sizes. Default: Stable Diffusion 3.5-medium.</summary>
    public ModelArchitecture Model { get; init; } = ModelArchitecture.Sd35Medium;

    /// <summary>Where. Default: the CPU.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>Element type of weights and compute. Default: bfloat16.</summary>
    public ScalarType Dtype { get; init; } = ScalarType.BFloat16;

    /// <summary>Side of large pictures in pixels. Default 1024.</summary>
    public int LargeSize { get; init; } = 1024;

    /// <summary>Side of small pictures, those of training, in pixels. Default 512.</summary>
    public int SmallSize { get; init; } = 512;

    /// <summary>Denoising steps of the whole run. Default 28.</summary>
    public int Steps { get; init; } = 28;

    /// <summary>Pictures of the whole run. Default 4.</summary>
    public int Images { get; init; } = 4;

    /// <summary>Timed repeats of a row, 1 or more; whole runs are timed a fifth as often. Default 10.</summary>
    public int Repeats { get; init; } = 10;

    /// <summary>Runs before the timed ones, 0 or more; whole runs have one. Default 5.</summary>
    public int WarmUps { get; init; } = 5;

    /// <summary>Names of the rows to measure, in this order; null for all.</summary>
    public IReadOnlyList<string>? Rows { get; init; }

    /// <summary>Whether forwards and training steps are captured as CUDA graphs and replayed.</summary>
    public bool CudaGraph { get; init; }

    /// <summary>
    /// The ranks that take training steps together, each with as many micro-batches as one alone; null for one. Every row is measured on
    /// each.
    /// </summary>
    public ICollective? Collective { get; init; }

    /// <summary>
    /// Gives the folder of a model of the same sizes, in the published layout, for the row whose weights are read while it runs; asked when
    /// that row begins. Null: the row is not measured.
    /// </summary>
    public Func<string>? ModelFolder { get; init; }
}
