using System.Globalization;
using Dreambooth.Lab.Evaluation;

namespace Dreambooth.Lab.Display;

/// <summary>
/// Views of evaluations: the plane of fidelity and adherence with intervals, tables, advice, pictures beside their nearest photo.
/// </summary>
public static class EvaluationViews
{
    /// <summary>The pictures of a row at most.</summary>
    internal const int MostPictures = 6;

    private const int Cell = 110;

    // Else the words of a narrow column stand one below the other, beside cells of figures that do not break.
    private const char NoBreak = '\u00a0';

    private static readonly IReadOnlyDictionary<string, string> Titles = new Dictionary<string, string>
    {
        [CharacterReading.FidelityScore] = "Fidelity",
        [CharacterReading.AdherenceScore] = "Adherence",
        [CharacterReading.IdentityScore] = "Identity",
        [SubjectJudge.DinoScore] = "DINO",
        [SubjectJudge.ClipImageScore] = "CLIP-I",
        [SubjectJudge.ClipTextScore] = "CLIP-T",
        [SubjectEvaluation.DiversityScore] = "Diversity",
        [SubjectEvaluation.CopyScore] = "Copies",
        [SubjectEvaluation.ClassFidelity] = "PRES",
        [SubjectEvaluation.ClassLeak] = "PRES less no LoRA",
        [SubjectEvaluation.DriftScore] = "Drift",
        [SubjectJudge.NearestScore] = "Nearest photo",
        [EmbeddingScores.SurroundingsScore] = "Surroundings",
    };

    private static readonly (string Score, string Meaning)[] Meanings =
    [
        (CharacterReading.FidelityScore, "mean cosine to the photos by the miniature's classifier; higher is nearer to the subject"),
        (CharacterReading.AdherenceScore, "how far the classifier sees what the prompt says, 0 to 1"),
        (SubjectJudge.DinoScore, "mean cosine to the photos by DINO; higher is nearer to the subject"),
        (SubjectJudge.ClipImageScore, "the same by CLIP, which sees the kind of thing more than the individual"),
        (SubjectJudge.ClipTextScore, "cosine of a picture and its prompt by CLIP; higher follows the prompt more closely"),
        (SubjectEvaluation.DiversityScore, "1 less the mean cosine, by DINO, among pictures of one prompt; it is not LPIPS"),
        (SubjectEvaluation.CopyScore, "part of the pictures that are nearer to a photo than any two photos are to each other"),
        (SubjectEvaluation.ClassFidelity, "fidelity of pictures of the class prompt, which should stay low"),
        (SubjectEvaluation.ClassLeak, "how much that rose over the model without LoRA: the class becomes the subject"),
        (SubjectEvaluation.DriftScore, "1 less the cosine of a class picture to that of the model without LoRA, of the same seed"),
        (EmbeddingScores.SurroundingsScore, "mean cosine to the photos with the middle covered; rising, the background was learned"),
    ];

    /// <summary>What the scores of a choice mean.</summary>
    internal static ScoreGlossary Glossary(this EvaluationChoice choice) => new(
        [.. Meanings.Where(entry => choice.Evaluations.Any(evaluation => evaluation.Means.ContainsKey(entry.Score)))
            .Select(entry => (Title(entry.Score), entry.Meaning))]);

    /// <summary>
    /// Every LoRA and scale as a point with its intervals: adherence to the right, fidelity upwards; the Pareto set is joined, the
    /// suggested one marked.
    /// </summary>
    /// <param name="choice">The evaluations.</param>
    /// <returns>Bars of fidelity alone where nothing is known of adherence.</returns>
    public static ChartView Plane(this EvaluationChoice choice)
    {
        ArgumentNullException.ThrowIfNull(choice);
        var judge = choice.Evaluations[0].Judge;
        SubjectEvaluation[] scored = [.. choice.Evaluations.Where(evaluation => evaluation.Fidelity is not null)];
        return scored.Any(evaluation => evaluation.Adherence is not null)
            ? new ScatterChart
            {
                XTitle = $"{Title(judge.AdherenceScore)}: adherence to the prompt",
                YTitle = $"{Title(judge.FidelityScore)}: fidelity to the subject",
                Height = 380,
                Caption = $"{judge.Name}. Bars: 95 % intervals over prompts and seeds. Real pictures among themselves: "
                    + $"{Number(judge.Ceiling)}.",
                Series = [.. Points(choice, [.. scored.Where(evaluation => evaluation.Adherence is not null)])],
            }
            : new BarChart
            {
                Categories = [.. scored.Select(evaluation => evaluation.Name)],
                YTitle = $"{Title(judge.FidelityScore)}: fidelity to the subject",
                Caption = $"{judge.Name}. Lines: 95 % intervals over prompts and seeds. Real pictures among themselves: "
                    + $"{Number(judge.Ceiling)}.",
                Series = [Bars(Title(judge.FidelityScore), scored.Select(evaluation => evaluation.Fidelity))],
            };
    }

    /// <summary>Every evaluation with its means and intervals; the Pareto set and the suggested one are marked.</summary>
    /// <param name="choice">The evaluations.</param>
    public static TextTable Table(this EvaluationChoice choice)
    {
        ArgumentNullException.ThrowIfNull(choice);
        string[] scores = [.. Titles.Keys.Where(score => choice.Evaluations.Any(evaluation => evaluation.Means.ContainsKey(score)))];
        return TextTable.Of(
            choice.Evaluations,
            [
                ("Pictures of", evaluation => evaluation.Stage),
                ("Scale", evaluation => evaluation.Scale),
                ("", evaluation => evaluation == choice.Suggested ? "suggested" : choice.Front.Contains(evaluation) ? "Pareto set" : ""),
                ("n", evaluation => evaluation.Pictures.Count),
                .. scores.Select(score => (Title(score), (Func<SubjectEvaluation, object?>)(evaluation => Text(evaluation, score)))),
            ]) with
        {
            Title = "All figures",
            Note = $"{choice.Evaluations[0].Judge.Name}. Means with 95 % intervals, bootstrapped over prompts and seeds. Real pictures "
                + $"among themselves: {Title(choice.Evaluations[0].Judge.FidelityScore)} {Number(choice.Evaluations[0].Judge.Ceiling)}.",
        };
    }

    /// <summary>
    /// The other candidates less the suggested one; "higher" and "lower" as <see cref="ScoreInterval.IsAboveZero"/> says.
    /// </summary>
    /// <param name="choice">The evaluations.</param>
    public static TextTable DifferenceTable(this EvaluationChoice choice)
    {
        ArgumentNullException.ThrowIfNull(choice);
        var isOfFew = choice.Differences.Any(difference => difference.Difference.Count < ScoreInterval.FewestPictures);
        return TextTable.Of(
            choice.Differences.GroupBy(difference => difference.Second),
            [
                ("Pictures of", group => group.Key.Stage),
                ("Scale", group => group.Key.Scale),
                .. choice.Differences.Select(difference => difference.Score).Distinct().SelectMany(score =>
                    new (string, Func<IGrouping<SubjectEvaluation, PairedDifference>, object?>)[]
                    {
                        (Title(score), group => group.FirstOrDefault(entry => entry.Score == score)?.Difference.Signed),
                        ("is", group => group.FirstOrDefault(entry => entry.Score == score)?.Verdict.Replace(' ', NoBreak)),
                    }),
            ]) with
        {
            Title = $"Compared with {choice.Suggested?.Name}",
            Note = "Differences picture by picture of the same prompts and seeds, with 95 % intervals."
                + (isOfFew ? $" Of fewer than {ScoreInterval.FewestPictures} pictures none is said to be higher or lower." : string.Empty),
        };
    }

    /// <summary>Advice, one row for each, with the figures behind it.</summary>
    /// <param name="advice">What <see cref="EvaluationAdvice.Of"/> gave.</param>
    public static TextTable Table(this IReadOnlyList<EvaluationAdvice> advice) =>
        TextTable.Of(advice, ("What to do", entry => entry.Words), ("Figures", entry => entry.Figures));

    /// <summary>Drift of the class and how far it became the subject, for every LoRA and scale.</summary>
    /// <param name="choice">The evaluations.</param>
    /// <returns>Null where no class pictures were scored.</returns>
    public static BarChart? DriftBars(this EvaluationChoice choice)
    {
        ArgumentNullException.ThrowIfNull(choice);
        string[] scores = [.. new[] { SubjectEvaluation.DriftScore, SubjectEvaluation.ClassFidelity }
            .Where(score => choice.Evaluations.Any(evaluation => evaluation.Means.ContainsKey(score)))];
        SubjectEvaluation[] shown = [.. choice.Evaluations.Where(evaluation => scores.Any(evaluation.Means.ContainsKey))];
        return shown.Length == 0 ? null : new BarChart
        {
            Categories = [.. shown.Select(evaluation => evaluation.Name)],
            YTitle = "pictures of the class prompt",
            Caption = $"{choice.Evaluations[0].Judge.Name}. Lines: 95 % intervals.",
            Series = [.. scores.Select(score => Bars(
                score == SubjectEvaluation.DriftScore ? "drift (1 − cosine to no LoRA)" : "PRES (fidelity of the class to the subject)",
                shown.Select(evaluation => evaluation.Means.GetValueOrDefault(score))))],
        };
    }

    /// <summary>Pictures of one evaluation by a score, each over the real picture that it resembles most where that is known.</summary>
    /// <param name="evaluation">Whose.</param>
    /// <param name="score">The score's name.</param>
    /// <param name="lowest">Whether the lowest come first.</param>
    /// <param name="most">Pictures at most, at least 1.</param>
    public static ImageGrid Pictures(this SubjectEvaluation evaluation, string score, bool lowest = false, int most = MostPictures)
    {
        ArgumentNullException.ThrowIfNull(evaluation);
        var scored = evaluation.Pictures.Where(picture => picture.Scores.ContainsKey(score));
        PictureScores[] shown =
            [.. (lowest ? scored.OrderBy(picture => picture[score]) : scored.OrderByDescending(picture => picture[score])).Take(most)];
        GridCell Own(PictureScores picture) =>
            GridCell.FromFile(picture.Path, $"{Title(score)} {Number(picture[score])}", $"{picture.Prompt}\n{Details(picture)}");
        GridCell? Photo(PictureScores picture) => picture.Nearest is not { } nearest ? null
            : GridCell.FromFile(nearest, $"cosine {Number(picture[SubjectJudge.NearestScore])}", Path.GetFileName(nearest));
        var nearest = shown.Any(picture => picture.Nearest is not null);
        return new ImageGrid
        {
            Title = $"{evaluation.Name}: {(lowest ? "lowest" : "highest")} {Title(score)}",
            Rows = nearest ? [[.. shown.Select(Own)], [.. shown.Select(Photo)]] : [[.. shown.Select(Own)]],
            RowHeadings = nearest ? ["generated", "nearest photo"] : [],
            CellSize = Cell,
        };
    }

    /// <summary>What a score is called where readers see it.</summary>
    internal static string Title(string score) => Titles.GetValueOrDefault(score, score);

    private static IEnumerable<ChartSeries> Points(EvaluationChoice choice, SubjectEvaluation[] scored)
    {
        foreach (var (place, stage) in scored.GroupBy(evaluation => evaluation.Stage).Index())
        {
            var color = stage.First().IsBase ? ChartColor.Grey : ChartPalette.At(place);
            foreach (var evaluation in stage)
            {
                foreach (var bar in Bars(evaluation))
                    yield return bar with { Color = color };
            }

            yield return Series(stage.Key, stage) with
            {
                Mark = ChartMark.Points,
                Color = color,
                Labels = [.. stage.Select(Describe)],
            };
        }

        SubjectEvaluation[] front = [.. choice.Front.Where(scored.Contains).OrderBy(evaluation => evaluation.Adherence!.Mean)];
        if (front.Length > 1)
            yield return Series("Pareto set", front) with
            {
                Mark = ChartMark.Dashed,
                Color = ChartColor.Grey,
            };
        if (choice.Suggested is { Adherence: { } adherence, Fidelity: { } fidelity } suggested)
            yield return ChartSeries.Of($"suggested: {suggested.Name}", [adherence.Mean], [fidelity.Mean]) with
            {
                Mark = ChartMark.Points,
                Color = ChartColor.Ink,
                Labels = [$"suggested: {Describe(suggested)}"],
            };
    }

    private static ChartSeries Series(string name, IEnumerable<SubjectEvaluation> evaluations)
    {
        SubjectEvaluation[] all = [.. evaluations];
        return ChartSeries.Of(
            name, all.Select(evaluation => evaluation.Adherence!.Mean), all.Select(evaluation => evaluation.Fidelity!.Mean));
    }

    private static ChartSeries Bars(string name, IEnumerable<ScoreInterval?> means)
    {
        ScoreInterval?[] all = [.. means];
        return ChartSeries.Of(name, all.Select(mean => mean?.Mean ?? double.NaN)) with
        {
            Intervals = [.. all.Select(mean => mean is { Low: { } low, High: { } high } ? (low, high) : ((double, double)?)null)],
        };
    }

    private static IEnumerable<ChartSeries> Bars(SubjectEvaluation evaluation)
    {
        var (x, y) = (evaluation.Adherence!, evaluation.Fidelity!);
        if (x is { Low: { } left, High: { } right })
            yield return ChartSeries.Of(string.Empty, [left, right], [y.Mean, y.Mean]) with { Mark = ChartMark.Line };
        if (y is { Low: { } low, High: { } high })
            yield return ChartSeries.Of(string.Empty, [x.Mean, x.Mean], [low, high]) with { Mark = ChartMark.Line };
    }

    private static string Describe(SubjectEvaluation evaluation) =>
        $"{evaluation.Name}: {Title(evaluation.Judge.FidelityScore)} {evaluation.Fidelity!.Text()}, "
        + $"{Title(evaluation.Judge.AdherenceScore)} {evaluation.Adherence!.Text()}";

    private static string Details(PictureScores picture) => string.Join(", ", picture.Scores
        .Select(score => $"{Title(score.Key)} {Number(score.Value)}").Prepend(picture.Seed is { } seed ? $"seed {seed}" : "no seed known"));

    private static string? Text(SubjectEvaluation evaluation, string score)
    {
        var mean = evaluation.Means.GetValueOrDefault(score);
        return score is SubjectEvaluation.ClassLeak ? mean?.Signed
            : mean?.Text(score is SubjectEvaluation.CopyScore or CharacterReading.IdentityScore ? "0 %" : "0.000");
    }

    private static string Number(double value) =>
        double.IsNaN(value) ? "not known" : value.ToString("0.000", CultureInfo.InvariantCulture);
}
