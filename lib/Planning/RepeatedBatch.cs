using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Planning;

/// <summary>The same latents again and again, with text that is cached or encoded anew each time.</summary>
/// <param name="latents">Clean latents, <c>[B, C, h, w]</c>.</param>
/// <param name="text">Their text.</param>
internal sealed class RepeatedBatch(Tensor latents, Func<PromptEmbeddings> text) : ITrainingBatches
{
    public int BatchesPerEpoch => 1 << 20;

    public TrainingBatch Load(int epoch, int index) => new(latents, text());
}
