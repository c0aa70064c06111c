namespace Dreambooth.Lab.Training;

/// <summary>How a training ended.</summary>
/// <param name="Steps">Optimizer steps done in all.</param>
/// <param name="Cancelled">Whether it was ended early by its caller; the adapter then holds the steps done so far.</param>
/// <param name="Seconds">Wall time of this run's steps.</param>
public sealed record TrainingSummary(int Steps, bool Cancelled, double Seconds)
{
    /// <summary>Whether all steps were already done, so that nothing was left to train.</summary>
    public bool WasFinished { get; init; }
}
