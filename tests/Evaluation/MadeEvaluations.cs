using Dreambooth.Lab.Evaluation;

namespace Dreambooth.Lab.Tests.Evaluation;

/// <summary>
/// Evaluations of made-up scores: 8 prompts, 4 seeds, 8 of the class prompt, and a spread that is the same for every LoRA.
/// </summary>
internal static class MadeEvaluations
{
    public const int Prompts = 8, Seeds = 4, ClassSeeds = 8;

    public static readonly JudgeFacts Judge = new("made up", SubjectJudge.DinoScore, SubjectJudge.ClipTextScore, 0.75, 0.9, 0.7);

    /// <summary>One LoRA's pictures; their means are the given scores.</summary>
    /// <param name="stage">The stage; "no LoRA" for the model as it is.</param>
    /// <param name="scale">The scale.</param>
    /// <param name="ofClass">Fidelity of the class prompt's pictures; null for none.</param>
    /// <param name="scores">Scores of the subject's pictures.</param>
    public static (PictureSetName Set, PictureScores[] Pictures) Of(
        string stage, double scale, double? ofClass, params (string Name, double Mean)[] scores)
    {
        var isBase = stage == "no LoRA";
        var set = new PictureSetName(
            isBase ? stage : FormattableString.Invariant($"{stage} × {scale}"), stage, isBase ? null : stage, isBase ? null : scale,
            isBase);
        var own = from prompt in Enumerable.Range(0, Prompts)
                  from seed in Enumerable.Range(0, Seeds)
                  select Picture(
                      set, $"prompt {prompt}", seed, false, scores.Select(score => (score.Name, score.Mean + Spread(prompt, seed))));
        var classes = from seed in Enumerable.Range(0, ofClass is null ? 0 : ClassSeeds)
                      select Picture(
                          set, "a photo of a cat", seed, true,
                          [(Judge.FidelityScore, ofClass!.Value + Spread((Prompts - 1) / 2.0, seed % Seeds))]);
        return (set, [.. own, .. classes]);
    }

    public static IReadOnlyList<SubjectEvaluation> All(params (PictureSetName Set, PictureScores[] Pictures)[] sets) =>
        SubjectEvaluation.Of(Judge, sets);

    // Sums to 0 over the prompts and over the seeds.
    private static double Spread(double prompt, int seed) => 0.01 * ((prompt - ((Prompts - 1) / 2.0)) + (seed - ((Seeds - 1) / 2.0)));

    private static PictureScores Picture(
        PictureSetName set, string prompt, int seed, bool isOfClass, IEnumerable<(string Name, double Value)> scores) => new()
        {
            Path = $"{set.Name}/{prompt}/{seed}.png",
            Prompt = prompt,
            Seed = (ulong)seed,
            Lora = set.Lora,
            Scale = set.Scale,
            IsOfClass = isOfClass,
            Scores = scores.ToDictionary(score => score.Name, score => score.Value),
        };
}
