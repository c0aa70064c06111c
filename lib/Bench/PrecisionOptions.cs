using Dreambooth.Lab.Planning;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary>What <see cref="PrecisionCheck"/> compares and where.</summary>
internal sealed record PrecisionOptions
{
    /// <summary>A size that a processor does in seconds: what the check does, not how precise the real model is.</summary>
    public static PrecisionOptions Tiny { get; } = new()
    {
        Model = FullSizeBenchmarkOptions.Tiny.Model,
        ForwardSize = 64,
        TrainingSize = 32,
        Steps = 12,
    };

    /// <summary>The model's sizes. Default: Stable Diffusion 3.5-medium.</summary>
    public ModelArchitecture Model { get; init; } = ModelArchitecture.Sd35Medium;

    /// <summary>Where. Default: the CPU.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>Side of the pictures of the forward, in pixels. Default 1024.</summary>
    public int ForwardSize { get; init; } = 1024;

    /// <summary>Side of the training pictures, in pixels. Default 512.</summary>
    public int TrainingSize { get; init; } = 512;

    /// <summary>Optimizer steps of each training. Default 50.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>Pictures per step. Default 2.</summary>
    public int BatchSize { get; init; } = 2;

    /// <summary>Learning rate, constant. Default 1e-3: high enough that the loss falls within the steps.</summary>
    public double LearningRate { get; init; } = 1e-3;
}
