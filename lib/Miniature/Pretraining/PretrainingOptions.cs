using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>Where and how long one part of the pre-training runs.</summary>
internal sealed record PretrainingOptions
{
    /// <summary>Folder for weights, curves and samples.</summary>
    public required string Output { get; init; }

    /// <summary>Device of the models.</summary>
    public required Device Device { get; init; }

    /// <summary>Minutes of training; rendering before it is not counted.</summary>
    public double Minutes { get; init; } = 7;

    /// <summary>Steps after which training ends in any case.</summary>
    public long MaxSteps { get; init; } = long.MaxValue;

    /// <summary>Number of painted pictures to train on.</summary>
    public int Pictures { get; init; } = 60_000;

    /// <summary>Folder that keeps painted pictures between runs, or null to paint them again.</summary>
    public string? Pool { get; init; }

    /// <summary>Folder with the state or, without one, the weights of an earlier run to go on from, or null.</summary>
    public string? Resume { get; init; }

    /// <summary>
    /// Model folder whose weights a training begins with, or null. Residual blocks and transformer blocks that its models lack begin as the
    /// identity, so
    /// that a deeper model begins as good as the one it is made from.
    /// </summary>
    public string? Start { get; init; }

    /// <summary>Whether only the autoencoder's decoder is trained on, so that latents stay valid; needs <see cref="Resume"/>.</summary>
    public bool DecoderOnly { get; init; }

    /// <summary>
    /// Folder of a classifier by whose first maps decoded and painted pictures are compared too, or null.
    /// </summary>
    public string? Perceptual { get; init; }

    /// <summary>
    /// Where on the learning-rate schedule the run begins, 0 to 1; null for the end of the state that it continues from, or for the
    /// beginning.
    /// </summary>
    public double? From { get; init; }

    /// <summary>Where on the learning-rate schedule the run ends.</summary>
    public double To { get; init; } = 1;

    /// <summary>Threads that render.</summary>
    public int RenderThreads { get; init; } = Math.Max(1, Environment.ProcessorCount - 2);

    /// <summary>Seconds between progress lines.</summary>
    public double ReportSeconds { get; init; } = 20;

    /// <summary>Minutes between saved weights and sample sheets; 0 for none at all, to time steps.</summary>
    public double SheetMinutes { get; init; } = 3;

    /// <summary>Whether the models compute in bfloat16 (the weights that are trained stay float32).</summary>
    public bool Bf16 { get; init; }

    /// <summary>Whether a step's forward and backward pass is captured once and replayed (CUDA only).</summary>
    public bool CudaGraph { get; init; }

    /// <summary>Processes that train together, one per GPU, each on <see cref="Pictures"/> pictures of its own. Default 1.</summary>
    public int Ranks { get; init; } = 1;

    /// <summary>Which of them this is, from 0; the first one reports and saves.</summary>
    public int Rank { get; init; }

    /// <summary>A new folder through which they meet; needed for more than one.</summary>
    public string? Meeting { get; init; }

    /// <summary>Receives progress lines.</summary>
    public Action<string> Log { get; init; } = _ => { };

    /// <summary>Ends the run early; weights are saved all the same.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Element type that the models compute in.</summary>
    public ScalarType ComputeType => Bf16 ? ScalarType.BFloat16 : ScalarType.Float32;

    /// <summary>Seed of this process's first painted picture.</summary>
    /// <param name="recipe">Seed of the first process's.</param>
    internal ulong FirstDrawing(MiniatureRecipe recipe) => recipe.FirstDrawing + ((ulong)Rank * (ulong)Pictures);

    /// <summary>The time that training may take.</summary>
    /// <param name="before">Where an earlier run ended.</param>
    internal TimeBox OpenTimeBox(TrainingProgress before) => new(Minutes, From ?? before.Schedule, To, MaxSteps, before.Steps);

    /// <summary>Turns on TF32 products for CUDA.</summary>
    public void PrepareDevice()
    {
        if (DecoderOnly && Resume is null)
            throw new LabException("Training the decoder alone needs weights to go on from: name their folder by --resume.");
        if (Device.type != TorchSharp.DeviceType.CUDA)
            return;
        if (!cuda.is_available())
            throw new LabException(
                "CUDA was asked for, but libtorch finds no CUDA device here. Use --device cpu, or point LIBTORCH_DIR at a CUDA build.");
        backends.cuda.matmul.allow_tf32 = true;
        backends.cudnn.allow_tf32 = true;
    }
}
