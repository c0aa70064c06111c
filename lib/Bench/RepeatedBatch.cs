using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary>The same latents again and again, with the same text.</summary>
/// <param name="latents">Clean latents, <c>[B, C, h, w]</c>.</param>
/// <param name="text">Their text.</param>
internal sealed class RepeatedBatch(Tensor latents, TrainingText text) : ITrainingBatches
{
    public int BatchesPerEpoch => 1 << 20;

    public TrainingBatch Load(int epoch, int index) => new(latents, text);
}
