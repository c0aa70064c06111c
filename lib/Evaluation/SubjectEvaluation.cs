using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// What one set of pictures scored: those of a LoRA at a scale, of the base model, or of a folder. Each mean has an interval over
/// prompts and seeds.
/// </summary>
public sealed record SubjectEvaluation
{
    /// <summary>Name of the score 1 − mean cosine, by DINO, to the other pictures of the same prompt.</summary>
    public const string DiversityScore = "diversity";

    /// <summary>Name of the score 1 for a copy of a training picture, else 0; its mean is the part of copies.</summary>
    public const string CopyScore = "copy";

    /// <summary>Name of the score 1 − cosine, by DINO, of a picture of the class to that of the base model, of the same seed.</summary>
    public const string DriftScore = "drift";

    /// <summary>Name of the mean fidelity of pictures of the class prompt: with DINO the paper's PRES.</summary>
    public const string ClassFidelity = "pres";

    /// <summary>
    /// Name of the mean difference of <see cref="ClassFidelity"/> to the base model, over the same seeds: how far the class has become
    /// the subject.
    /// </summary>
    public const string ClassLeak = "leak";

    private const ulong IntervalSeed = 0;

    private SubjectEvaluation()
    {
    }

    /// <summary>What the set is called: <c>step 130 × 0.8</c>, <c>no LoRA</c>, or its folder.</summary>
    public required string Name { get; init; }

    /// <summary>The stage of training: <c>step 130</c>, <c>final</c>, <c>no LoRA</c>; for a folder its name.</summary>
    public required string Stage { get; init; }

    /// <summary>The LoRA; null for the base model, and where it is not known.</summary>
    public string? Lora { get; init; }

    /// <summary>The LoRA's scale; null without one.</summary>
    public double? Scale { get; init; }

    /// <summary>Whether these are pictures of the base model, with which others are compared.</summary>
    public bool IsBase { get; init; }

    /// <summary>Who judged.</summary>
    public required JudgeFacts Judge { get; init; }

    /// <summary>The pictures of the subject, at least one.</summary>
    public required IReadOnlyList<PictureScores> Pictures { get; init; }

    /// <summary>The pictures of the class prompt; may be empty.</summary>
    public IReadOnlyList<PictureScores> ClassPictures { get; init; } = [];

    /// <summary>Mean and interval by score's name; only of scores that there are.</summary>
    public required IReadOnlyDictionary<string, ScoreInterval> Means { get; init; }

    /// <summary>Subject fidelity; null where it was not scored.</summary>
    public ScoreInterval? Fidelity => Means.GetValueOrDefault(Judge.FidelityScore);

    /// <summary>Adherence to the prompts; null where there were no prompts.</summary>
    public ScoreInterval? Adherence => Means.GetValueOrDefault(Judge.AdherenceScore);

    /// <summary>Takes the means of scored pictures.</summary>
    /// <param name="set">What the set is.</param>
    /// <param name="judge">Who scored.</param>
    /// <param name="pictures">Its pictures of the subject and of the class, scored.</param>
    /// <param name="bare">The base model, for <see cref="ClassLeak"/>; null where there are no such pictures.</param>
    /// <exception cref="LabException">There is no picture of the subject.</exception>
    internal static SubjectEvaluation Of(
        PictureSetName set, JudgeFacts judge, IReadOnlyList<PictureScores> pictures, SubjectEvaluation? bare = null)
    {
        PictureScores[] own = [.. pictures.Where(picture => !picture.IsOfClass)];
        PictureScores[] ofClass = [.. pictures.Where(picture => picture.IsOfClass)];
        if (own.Length == 0)
            throw new LabException($"{set.Name} has no picture of the subject to score.");
        var means = new Dictionary<string, ScoreInterval>();
        foreach (var score in own.SelectMany(picture => picture.Scores.Keys).Distinct())
            means[score] = Mean(own, score);
        if (ofClass.Any(picture => picture.Scores.ContainsKey(judge.FidelityScore)))
            means[ClassFidelity] = Mean(ofClass, judge.FidelityScore);
        if (ofClass.Any(picture => picture.Scores.ContainsKey(DriftScore)))
            means[DriftScore] = Mean(ofClass, DriftScore);
        if (bare is not null && Difference(bare.ClassPictures, ofClass, judge.FidelityScore) is { } leak)
            means[ClassLeak] = leak;
        return new SubjectEvaluation
        {
            Name = set.Name,
            Stage = set.Stage,
            Lora = set.Lora,
            Scale = set.Scale,
            IsBase = set.IsBase,
            Judge = judge,
            Pictures = own,
            ClassPictures = ofClass,
            Means = means,
        };
    }

    /// <summary>The evaluations of a sweep's pictures, one for each LoRA and scale, from the scores in its records.</summary>
    /// <param name="outcome">A sweep that was judged.</param>
    /// <param name="judge">Who judged it.</param>
    /// <param name="classPrompt">The class prompt, if it is among the sweep's prompts; its pictures show drift.</param>
    /// <returns>In the order of the sweep; the base model among them where it generated pictures.</returns>
    public static IReadOnlyList<SubjectEvaluation> By(SweepOutcome outcome, JudgeFacts judge, string? classPrompt = null)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(judge);
        var sets = outcome.Results.GroupBy(result => PictureSetName.Of(result.Item)).Select(group => (
            Set: group.Key,
            Pictures: group.Select(result => new PictureScores
            {
                Path = outcome.PathOf(result),
                Prompt = result.Item.Prompt,
                Seed = result.Item.Seed,
                Lora = result.Item.Lora,
                Scale = group.Key.Scale,
                IsOfClass = result.Item.Prompt == classPrompt,
                Judge = result.Judge,
                Scores = WithCopies(result.Scores ?? new Dictionary<string, double>(), judge),
            }).ToArray())).ToArray();
        return Of(judge, sets);
    }

    /// <summary>The scores that are numbers.</summary>
    internal static Dictionary<string, double> Known(IReadOnlyDictionary<string, double> scores) =>
        scores.Where(score => !double.IsNaN(score.Value)).ToDictionary(score => score.Key, score => score.Value);

    private static Dictionary<string, double> WithCopies(IReadOnlyDictionary<string, double> scores, JudgeFacts judge)
    {
        var known = Known(scores);
        if (known.TryGetValue(SubjectJudge.NearestScore, out var nearest) && judge.CopyThreshold is { } threshold)
            known[CopyScore] = nearest > threshold ? 1 : 0;
        return known;
    }

    /// <summary>Evaluations of several sets; <see cref="ClassLeak"/> compares with the base model.</summary>
    internal static IReadOnlyList<SubjectEvaluation> Of(
        JudgeFacts judge, IReadOnlyList<(PictureSetName Set, PictureScores[] Pictures)> sets)
    {
        var bare = sets.Where(entry => entry.Set.IsBase).Select(entry => Of(entry.Set, judge, entry.Pictures)).FirstOrDefault();
        return [.. sets.Select(entry => entry.Set == bare?.SetName ? bare : Of(entry.Set, judge, entry.Pictures, bare))];
    }

    /// <summary>The mean difference of a score, other less this, over pictures of the same prompts and seeds.</summary>
    /// <param name="other">Another evaluation by the same judge.</param>
    /// <param name="score">The score's name.</param>
    /// <returns>Null where no two pictures have one prompt and seed.</returns>
    public ScoreInterval? DifferenceTo(SubjectEvaluation other, string score)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Difference(Pictures, other.Pictures, score);
    }

    private PictureSetName SetName => new(Name, Stage, Lora, Scale, IsBase);

    /// <summary>The mean of a score with its interval over prompts and seeds.</summary>
    internal static ScoreInterval Mean(IReadOnlyList<PictureScores> pictures, string score) =>
        Bootstrap.Mean(Samples(pictures, picture => picture[score]), IntervalSeed);

    private static ScoreInterval? Difference(IReadOnlyList<PictureScores> first, IReadOnlyList<PictureScores> second, string score)
    {
        var others = second.Where(picture => picture.Place is not null && picture.Scores.ContainsKey(score))
            .GroupBy(picture => picture.Place!.Value).ToDictionary(group => group.Key, group => group.First()[score]);
        PictureScores[] shared =
            [.. first.Where(picture => picture.Place is { } place && others.ContainsKey(place) && picture.Scores.ContainsKey(score))];
        return shared.Length == 0 ? null
            : Bootstrap.Mean(Samples(shared, picture => others[picture.Place!.Value] - picture[score]), IntervalSeed);
    }

    // Pictures of one seed share a draw. Where seeds are not known, or no prompts share one, the n-th pictures of all prompts do.
    private static ScoreSample[] Samples(IReadOnlyList<PictureScores> pictures, Func<PictureScores, double> value)
    {
        var seeds = SharedSeeds(pictures);
        return [.. pictures.GroupBy(picture => picture.Prompt).Index().SelectMany(prompt => prompt.Item
            .OrderBy(picture => picture.Seed).ThenBy(picture => picture.Index).Index()
            .Where(picture => !double.IsNaN(value(picture.Item)))
            .Select(picture => new ScoreSample(
                prompt.Index, seeds is null ? picture.Index : seeds[(picture.Item.Seed!.Value, picture.Item.Index)],
                value(picture.Item))))];
    }

    private static Dictionary<(ulong Seed, int Index), int>? SharedSeeds(IReadOnlyList<PictureScores> pictures)
    {
        if (pictures.Any(picture => picture.Seed is null)
            || pictures.DistinctBy(picture => (picture.Prompt, picture.Seed, picture.Index)).Count() < pictures.Count)
            return null;
        var seeds = pictures.Select(picture => (picture.Seed!.Value, picture.Index)).Distinct().Order().ToArray();
        return seeds.Length == pictures.Count ? null
            : seeds.Index().ToDictionary(seed => seed.Item, seed => seed.Index);
    }
}

/// <summary>What one set of pictures is.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Stage">The stage of training, or the folder's name.</param>
/// <param name="Lora">Its LoRA; null for none, or where it is not known.</param>
/// <param name="Scale">The LoRA's scale; null without one.</param>
/// <param name="IsBase">Whether it is of the base model.</param>
internal sealed record PictureSetName(string Name, string Stage, string? Lora, double? Scale, bool IsBase)
{
    /// <summary>The set that a picture of a sweep belongs to.</summary>
    public static PictureSetName Of(SweepItem item)
    {
        var stage = SweepAxis.Stage.LabelOf(item);
        if (item.Lora is null)
            return new(stage, stage, null, null, true);
        var name = string.Create(CultureInfo.InvariantCulture, $"{stage} × {item.LoraScale:0.###}");
        return new(name, stage, item.Lora, item.LoraScale, false);
    }
}
