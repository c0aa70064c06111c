namespace Dreambooth.Lab.Evaluation;

/// <summary>A mean score and how sure it is.</summary>
/// <param name="Mean">The mean over all pictures.</param>
/// <param name="Low">Lower end of the interval; null where there is one picture only, which tells nothing of it.</param>
/// <param name="High">Upper end of the interval.</param>
/// <param name="Count">Number of pictures.</param>
internal sealed record ScoreInterval(double Mean, double? Low, double? High, int Count)
{
    /// <summary>Whether the interval lies above 0: of a difference, that the second is better.</summary>
    public bool IsAboveZero => Low > 0;

    /// <summary>Whether the interval lies below 0: of a difference, that the second is worse.</summary>
    public bool IsBelowZero => High < 0;
}
