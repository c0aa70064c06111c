namespace Dreambooth.Lab.Evaluation;

/// <summary>How two evaluations differ in a score, picture by picture of the same prompt and seed.</summary>
/// <param name="First">The one that is compared with.</param>
/// <param name="Second">The other.</param>
/// <param name="Score">The score's name.</param>
/// <param name="Difference">Second less first.</param>
public sealed record PairedDifference(SubjectEvaluation First, SubjectEvaluation Second, string Score, ScoreInterval Difference)
{
    /// <summary>
    /// <c>higher</c> or <c>lower</c> where the interval of enough pictures excludes 0; else <c>no difference shown</c>.
    /// </summary>
    public string Verdict => Difference.IsAboveZero ? "higher" : Difference.IsBelowZero ? "lower" : "no difference shown";
}
