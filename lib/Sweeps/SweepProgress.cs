namespace Dreambooth.Lab.Sweeps;

/// <summary>How far a sweep is.</summary>
/// <param name="Done">Pictures that are there, those of earlier runs included.</param>
/// <param name="Total">Number of pictures in total.</param>
/// <param name="Reused">Pictures that were there already.</param>
/// <param name="Step">Denoising steps done of the batch at hand; 0 between batches.</param>
/// <param name="StepCount">Denoising steps that the batch at hand has; 0 between batches.</param>
/// <param name="BatchSize">Pictures of the batch at hand; 0 between batches.</param>
/// <param name="Prompt">The batch's first prompt; empty between batches.</param>
public sealed record SweepProgress(int Done, int Total, int Reused, int Step, int StepCount, int BatchSize, string Prompt)
{
    /// <summary>Fraction done, 0 to 1, including the steps of the current batch.</summary>
    public double Fraction => Total == 0 ? 1 : (Done + (StepCount == 0 ? 0 : (double)Step / StepCount * BatchSize)) / Total;
}
