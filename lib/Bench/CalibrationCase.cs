using Dreambooth.Lab.Planning;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary>A run whose memory is predicted and measured.</summary>
/// <param name="Name">By which it is chosen.</param>
/// <param name="Settings">The run.</param>
internal sealed record CalibrationCase(string Name, MemorySettings Settings)
{
    /// <summary>
    /// Training and generation over resolution, batch, rank, precision, checkpointing, CLIP LoRA and freed T5, for Stable Diffusion
    /// 3.5-medium on a GPU of 80 GB. What matters most comes first.
    /// </summary>
    public static IReadOnlyList<CalibrationCase> FullSize { get; } =
    [
        new("train-512-b1-r4-bf16-clip", Narrow),
        new("train-512-b2-r4-bf16", Narrow with { TrainBatchSize = 2, WithPriorPreservation = false, TrainTextEncoder = false }),
        new(
            "train-512-b2-r4-bf16-checkpointed", Narrow with
            {
                TrainBatchSize = 2,
                WithPriorPreservation = false,
                TrainTextEncoder = false,
                GradientCheckpointing = true,
                FreeT5 = true,
            }),
        new("draw-1024-b1-bf16", Drawing),
        new("draw-1024-b4-bf16", Drawing with { SampleBatchSize = 4 }),
        new("train-1024-b1-r4-bf16-clip", Narrow with { Resolution = 1024, FreeT5 = true }),
        new(
            "train-1024-b4-r4-bf16-checkpointed", Narrow with
            {
                Resolution = 1024,
                TrainBatchSize = 4,
                WithPriorPreservation = false,
                TrainTextEncoder = false,
                GradientCheckpointing = true,
            }),
        new("train-512-b1-r64-bf16-clip", Narrow with { Rank = 64 }),
        new("train-768-b1-r4-bf16", Narrow with { Resolution = 768, TrainTextEncoder = false }),
        new("train-512-b4-r4-bf16-clip", Narrow with { TrainBatchSize = 4, FreeT5 = true }),
        new("train-512-b8-r64-bf16-clip-checkpointed", Narrow with { TrainBatchSize = 8, Rank = 64, GradientCheckpointing = true }),
        new("draw-512-b8-bf16", Drawing with { SampleBatchSize = 8, SampleResolution = 512 }),
        new("draw-768-b2-bf16", Drawing with { SampleBatchSize = 2, SampleResolution = 768 }),
        new("train-512-b1-r4-fp32-clip", MemorySettings.TutorialTraining with { SampleResolution = 512, CachedPictures = 0 }),
        new(
            "train-512-b2-r4-fp32-checkpointed", MemorySettings.TutorialTraining with
            {
                TrainBatchSize = 2,
                TrainTextEncoder = false,
                GradientCheckpointing = true,
                FreeT5 = true,
                SampleResolution = 512,
                CachedPictures = 0,
            }),
        new("draw-1024-b1-fp32", MemorySettings.TutorialInference),
        new(
            "train-512-b4-r4-fp32", MemorySettings.TutorialTraining with
            {
                TrainBatchSize = 4,
                WithPriorPreservation = false,
                TrainTextEncoder = false,
                FreeT5 = true,
                SampleResolution = 512,
                CachedPictures = 0,
            }),
    ];

    /// <summary>A few of the kinds at sizes of the tiny model.</summary>
    public static IReadOnlyList<CalibrationCase> Tiny { get; } =
    [
        new("train-clip", Small),
        new("train-checkpointed", Small with { TrainTextEncoder = false, GradientCheckpointing = true, FreeT5 = true, Rank = 8 }),
        new("draw", Small with { Training = TrainingKind.None, SampleBatchSize = 2 }),
    ];

    private static MemorySettings Narrow => MemorySettings.TutorialTraining with
    {
        Dtype = ScalarType.BFloat16,
        VaeDtype = ScalarType.BFloat16,
        SampleResolution = 512,
        CachedPictures = 0,
    };

    private static MemorySettings Drawing => MemorySettings.TutorialInference with
    {
        Dtype = ScalarType.BFloat16,
        VaeDtype = ScalarType.BFloat16,
    };

    private static MemorySettings Small => MemorySettings.TutorialTraining with
    {
        Resolution = 64,
        SampleResolution = 64,
        CachedPictures = 0,
    };
}
