namespace Dreambooth.Lab.Training;

/// <summary>Where a training run's random draws come from.</summary>
public interface ITrainingDraws
{
    /// <summary>The draws of one micro-batch; the same number always gives the same draws.</summary>
    /// <param name="microBatch">Number of the micro-batch in the run, from 0.</param>
    /// <param name="latentShape"><c>[B, C, h, w]</c>.</param>
    TrainingDraw Draw(long microBatch, long[] latentShape);
}
