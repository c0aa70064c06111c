using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>The latents and draws that a golden run recorded, micro-batch by micro-batch.</summary>
internal sealed class GoldenRunSource(GoldenTensors file, int batchesPerEpoch, TrainingText text) : ITrainingBatches, ITrainingDraws
{
    public int BatchesPerEpoch => batchesPerEpoch;

    public TrainingBatch Load(int epoch, int index) =>
        new(file[$"micro.{(epoch * batchesPerEpoch) + index:000}.model_input"].Here(), text);

    public TrainingDraw Draw(long microBatch, long[] latentShape) =>
        new(file[$"micro.{microBatch:000}.noise"].Here(), file[$"micro.{microBatch:000}.indices"].Here());
}
