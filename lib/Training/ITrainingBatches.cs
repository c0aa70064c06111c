namespace Dreambooth.Lab.Training;

/// <summary>What a run trains on: the same epoch and index always give the same micro-batch.</summary>
public interface ITrainingBatches
{
    /// <summary>Micro-batches in an epoch, 1 or more.</summary>
    int BatchesPerEpoch { get; }

    /// <summary>Prepares one micro-batch; its tensors belong to the current dispose scope, or to a cache.</summary>
    /// <param name="epoch">Epoch, from 0.</param>
    /// <param name="index">Index in the epoch, from 0.</param>
    TrainingBatch Load(int epoch, int index);
}
