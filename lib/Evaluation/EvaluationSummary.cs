namespace Dreambooth.Lab.Evaluation;

/// <summary>What <c>summary.json</c> holds.</summary>
/// <param name="Judge">Who judged; its name says encoders and protocol.</param>
/// <param name="Photos">Number of real pictures.</param>
/// <param name="Suggested">Name of the suggested set; null for none.</param>
/// <param name="Reason">Why.</param>
/// <param name="ParetoSet">Names of the sets on the front.</param>
/// <param name="Sets">Every set with its means and intervals.</param>
/// <param name="Differences">The other candidates less the suggested one.</param>
/// <param name="Advice">What was found.</param>
/// <param name="Bleed">With several subjects, pictures of every identifier against every subject; null for one.</param>
internal sealed record EvaluationSummary(
    JudgeFacts Judge, int Photos, string? Suggested, string Reason, IReadOnlyList<string> ParetoSet,
    IReadOnlyList<SummarySet> Sets, IReadOnlyList<SummaryDifference> Differences,
    IReadOnlyList<EvaluationAdvice> Advice, SubjectBleed? Bleed)
{
    public const string FileName = "summary.json";

    /// <summary>Takes what is written of a choice.</summary>
    public static EvaluationSummary Of(
        EvaluationChoice choice, IReadOnlyList<EvaluationAdvice> advice, int photos, SubjectBleed? bleed) => new(
        choice.Evaluations[0].Judge, photos, choice.Suggested?.Name, choice.Reason, [.. choice.Front.Select(evaluation => evaluation.Name)],
        [.. choice.Evaluations.Select(evaluation => new SummarySet(
            evaluation.Name, evaluation.Lora, evaluation.Scale, evaluation.Pictures.Count, evaluation.ClassPictures.Count,
            evaluation.Means))],
        [.. choice.Differences.Select(difference => new SummaryDifference(
            difference.Second.Name, difference.Score, difference.Difference, difference.Verdict))],
        advice, bleed);
}

/// <summary>One set of pictures in <c>summary.json</c>.</summary>
internal sealed record SummarySet(
    string Name, string? Lora, double? Scale, int Pictures, int ClassPictures, IReadOnlyDictionary<string, ScoreInterval> Means);

/// <summary>One comparison in <c>summary.json</c>.</summary>
internal sealed record SummaryDifference(string Set, string Score, ScoreInterval Difference, string Verdict);
