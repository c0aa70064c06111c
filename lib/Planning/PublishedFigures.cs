using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Planning;

/// <summary>
/// The DreamBooth tutorial's own memory table, for Stable Diffusion 3.5-medium on one 80 GB GPU. It says GB and not whether of 1000³ or
/// 1024³ bytes; here they are taken as 1024³.
/// </summary>
/// <param name="Work">What was run.</param>
/// <param name="Published">What the tutorial says, as text.</param>
/// <param name="Bytes">The figure to compare with, in bytes.</param>
/// <param name="Settings">The same work for the planner.</param>
public sealed record PublishedFigures(string Work, string Published, long Bytes, MemorySettings Settings)
{
    /// <summary>The table's three rows.</summary>
    public static IReadOnlyList<PublishedFigures> Tutorial { get; } =
    [
        new("inference at 1024 px", "36.0 GB allocated, 40.6 GB reserved", 360 * ByteSize.GiB / 10, MemorySettings.TutorialInference),
        new("LoRA training, 512 px", "78.8 GB", 788 * ByteSize.GiB / 10, MemorySettings.TutorialTraining),
        new(
            "full fine-tuning", "162 GB (an estimate: 4 × the memory of inference)", 162 * ByteSize.GiB,
            MemorySettings.TutorialTraining with { Training = TrainingKind.Full }),
    ];
}
