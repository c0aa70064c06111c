using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Evaluation;

/// <summary>Who judged, as it stands beside every figure: figures of different judges or protocols cannot be compared.</summary>
/// <param name="Name">What judges, and how pictures are prepared for it.</param>
/// <param name="FidelityScore">Name of the score of subject fidelity, a mean cosine with the real pictures.</param>
/// <param name="AdherenceScore">Name of the score of adherence to the prompt.</param>
/// <param name="Ceiling">Fidelity of the real pictures among themselves; not a number where it is not known.</param>
/// <param name="CopyThreshold">The largest cosine of two real pictures; above it a picture counts as a copy. Null: not known.</param>
/// <param name="SurroundingsCeiling">
/// The same as <paramref name="Ceiling"/> with the middle of each picture covered; null: not known.
/// </param>
public sealed record JudgeFacts(
    string Name, string FidelityScore, string AdherenceScore, double Ceiling, double? CopyThreshold = null,
    double? SurroundingsCeiling = null)
{
    /// <summary>What a judge says of itself.</summary>
    /// <param name="judge">The judge.</param>
    public static JudgeFacts Of(IPictureJudge judge)
    {
        ArgumentNullException.ThrowIfNull(judge);
        var subject = judge as SubjectJudge;
        return new JudgeFacts(
            judge.Name, judge.FidelityScore, judge.AdherenceScore, judge.Ceiling, subject?.CopyThreshold, subject?.SurroundingsCeiling);
    }
}
