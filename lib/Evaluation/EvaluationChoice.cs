using System.Globalization;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// Which LoRA to keep, and at which scale: those that no other beats in both fidelity and adherence, one suggestion with its reason, and
/// how it differs from the others. "Higher" and "lower" are said as <see cref="ScoreInterval.IsAboveZero"/> says.
/// </summary>
public sealed record EvaluationChoice
{
    /// <summary>How far CLIP-T may fall below that of the base model; the paper's methods lie 0.05 apart (table 1).</summary>
    public const double MostClipTextFall = 0.02;

    /// <summary>How far other scores of adherence, parts between 0 and 1, may fall.</summary>
    public const double MostFall = 0.1;

    /// <summary>The part of copies above which a candidate, shown to be above it, is passed over where another is not.</summary>
    public const double MostCopies = 0.05;

    private const double Rounding = 1e-9;

    private EvaluationChoice()
    {
    }

    /// <summary>All evaluations, in their order.</summary>
    public required IReadOnlyList<SubjectEvaluation> Evaluations { get; init; }

    /// <summary>The base model; null where there are no such pictures.</summary>
    public SubjectEvaluation? Base { get; init; }

    /// <summary>The Pareto set: candidates that no other one beats, in their order.</summary>
    public required IReadOnlyList<SubjectEvaluation> Front { get; init; }

    /// <summary>The one to keep; null where nothing was scored.</summary>
    public SubjectEvaluation? Suggested { get; init; }

    /// <summary>Why, in words with the figures.</summary>
    public required string Reason { get; init; }

    /// <summary>The other candidates less the suggested one, in fidelity and adherence, where they have pictures in common.</summary>
    public required IReadOnlyList<PairedDifference> Differences { get; init; }

    /// <summary>Chooses.</summary>
    /// <param name="evaluations">By one judge; the base model may be among them.</param>
    /// <param name="mostFall">
    /// How far adherence may fall below that of the base model, or below the best candidate's where that is less; null:
    /// <see cref="MostClipTextFall"/> for CLIP-T, <see cref="MostFall"/> for others.
    /// </param>
    /// <exception cref="LabException">There is none, they are of different judges, or <paramref name="mostFall"/> is below 0.</exception>
    public static EvaluationChoice Of(IReadOnlyList<SubjectEvaluation> evaluations, double? mostFall = null)
    {
        ArgumentNullException.ThrowIfNull(evaluations);
        Check(evaluations, mostFall);
        var bare = evaluations.FirstOrDefault(evaluation => evaluation.IsBase);
        SubjectEvaluation[] candidates =
            [.. evaluations.Where(evaluation => !evaluation.IsBase && evaluation.Fidelity is not null)];
        SubjectEvaluation[] front = [.. candidates.Where(candidate => !candidates.Any(other => Beats(other, candidate)))];
        var rule = Rule(candidates, bare, mostFall);
        return new EvaluationChoice
        {
            Evaluations = evaluations,
            Base = bare,
            Front = front,
            Suggested = rule.Suggested,
            Reason = rule.Reason,
            Differences = rule.Suggested is { } suggested ? [.. Compare(suggested, candidates)] : [],
        };
    }

    /// <summary>
    /// The candidates, the end of the training as it was trained first: those of the last LoRA, the scale nearest to 1 first, then all
    /// others likewise. Of folders, whose LoRA is not known, the last is the end.
    /// </summary>
    internal IEnumerable<SubjectEvaluation> AsTrained()
    {
        var last = Evaluations.LastOrDefault(evaluation => !evaluation.IsBase);
        return Evaluations.Where(evaluation => !evaluation.IsBase)
            .OrderBy(candidate => last!.Lora is null ? candidate != last : candidate.Lora != last.Lora)
            .ThenBy(candidate => Math.Abs((candidate.Scale ?? 1) - 1));
    }

    private static void Check(IReadOnlyList<SubjectEvaluation> evaluations, double? mostFall)
    {
        if (evaluations.Count == 0)
            throw new LabException("There is no evaluation to choose from.");
        if (evaluations.FirstOrDefault(other => other.Judge.Name != evaluations[0].Judge.Name) is { } stranger)
        {
            throw new LabException(
                $"Evaluations of different judges cannot be compared: {evaluations[0].Judge.Name}; {stranger.Judge.Name}.");
        }

        if (mostFall is { } fall && !(fall >= 0))
            throw new LabException(string.Create(CultureInfo.InvariantCulture, $"Adherence may fall by {fall}; 0 or more is valid."));
    }

    private static (SubjectEvaluation? Suggested, string Reason) Rule(
        SubjectEvaluation[] candidates, SubjectEvaluation? bare, double? mostFall)
    {
        if (candidates.Length == 0)
            return (null, "Nothing was scored for fidelity, so nothing is suggested.");
        var judge = candidates[0].Judge;
        candidates = [.. candidates.Where(candidate => bare?.DifferenceTo(candidate, judge.FidelityScore) is not { IsBelowZero: true })];
        if (candidates.Length == 0)
            return (null, "Every LoRA here is shown to be further from the subject than the model without one; nothing is suggested.");
        if (!candidates.Any(candidate => candidate.Adherence is not null))
        {
            var nearest = candidates.MaxBy(candidate => candidate.Fidelity!.Mean)!;
            return (nearest, $"{nearest.Name} has the highest {InWords(judge.FidelityScore)}, {nearest.Fidelity!.Text()}"
                + $"{Ties(nearest, candidates)}. Without prompts nothing is known of adherence, which falls as a training goes on: look "
                + "at the pictures.");
        }

        var fall = mostFall ?? (judge.AdherenceScore == SubjectJudge.ClipTextScore ? MostClipTextFall : MostFall);
        var best = candidates.Max(candidate => candidate.Adherence?.Mean ?? double.NegativeInfinity);
        var from = Math.Min(bare?.Adherence?.Mean ?? double.PositiveInfinity, best);
        SubjectEvaluation[] following = [.. candidates.Where(candidate => candidate.Adherence?.Mean >= from - fall - Rounding)];
        SubjectEvaluation[] own = [.. following.Where(candidate => !Copies(candidate))];
        var kept = own.Length > 0 ? own : following;
        var suggested = kept.MaxBy(candidate => candidate.Fidelity!.Mean)!;
        var limit = string.Create(CultureInfo.InvariantCulture, $"{InWords(judge.AdherenceScore)} at least {from - fall:0.000}: ")
            + (bare?.Adherence is null || best < bare.Adherence.Mean ? "the best candidate's" : "that of the model without LoRA")
            + string.Create(CultureInfo.InvariantCulture, $" less {fall:0.###}");
        var copying = own.Length > 0 ? following.Length - own.Length : 0;
        var passedOver = copying switch
        {
            0 => string.Empty,
            1 => "1 of them gives training pictures back and is passed over. ",
            _ => $"{copying} of them give training pictures back and are passed over. ",
        };
        return (suggested, $"{following.Length} of {candidates.Length} {(following.Length == 1 ? "follows" : "follow")} the prompts nearly "
            + $"as well as can be had here ({limit}). {passedOver}"
            + $"Of {(copying > 0 ? "the others" : "these")}, {suggested.Name} is nearest to the subject: {InWords(judge.FidelityScore)} "
            + $"{suggested.Fidelity!.Text()}{Ties(suggested, kept)}.");
    }

    private static string InWords(string score) => score switch
    {
        SubjectJudge.DinoScore => "DINO",
        SubjectJudge.ClipTextScore => "CLIP-T",
        _ => score,
    };

    private static string Ties(SubjectEvaluation suggested, IEnumerable<SubjectEvaluation> others)
    {
        string[] ties = [.. others.Where(other => other != suggested
            && suggested.DifferenceTo(other, suggested.Judge.FidelityScore) is not { IsBelowZero: true }).Select(other => other.Name)];
        return ties.Length == 0 ? string.Empty : $"; not shown to be worse in it: {string.Join(", ", ties)}";
    }

    private static bool Copies(SubjectEvaluation candidate) =>
        candidate.Means.TryGetValue(SubjectEvaluation.CopyScore, out var copies) && copies.Low > MostCopies;

    private static IEnumerable<PairedDifference> Compare(SubjectEvaluation suggested, IEnumerable<SubjectEvaluation> candidates) =>
        from candidate in candidates
        where candidate != suggested
        from score in new[] { suggested.Judge.FidelityScore, suggested.Judge.AdherenceScore }
        let difference = suggested.DifferenceTo(candidate, score)
        where difference is not null
        select new PairedDifference(suggested, candidate, score, difference);

    private static bool Beats(SubjectEvaluation one, SubjectEvaluation other)
    {
        double fidelity = one.Fidelity!.Mean - other.Fidelity!.Mean, adherence = AdherenceOf(one) - AdherenceOf(other);
        return fidelity >= 0 && adherence >= 0 && (fidelity > 0 || adherence > 0);
    }

    // Without prompts fidelity alone decides.
    private static double AdherenceOf(SubjectEvaluation evaluation) => evaluation.Adherence?.Mean ?? 0;
}
