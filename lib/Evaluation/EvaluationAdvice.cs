using System.Globalization;

namespace Dreambooth.Lab.Evaluation;

/// <summary>What the figures say about a training, and what to change in the recipe.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Words">What was found and what to do.</param>
/// <param name="Figures">The figures behind it, with their intervals.</param>
public sealed record EvaluationAdvice(AdviceKind Kind, string Words, string Figures)
{
    /// <summary>Fewer photos than this are few: the paper trains on 3 to 5.</summary>
    internal const int FewestPhotos = 4;

    /// <summary>Real pictures whose mean DINO cosine is above this are nearly one picture; the paper's have 0.774.</summary>
    internal const double TooAlike = 0.92;

    /// <summary>The part of the way to the real pictures from which on a leak or a learned background is told of.</summary>
    internal const double NotedPart = 0.2;

    /// <summary>The part of the way to the real pictures below which a rising fidelity is told of.</summary>
    internal const double LearnedPart = 0.8;

    /// <summary>Fewer pictures than this a candidate are few.</summary>
    internal const int FewestPictures = 32;

    /// <summary>Reads a choice.</summary>
    /// <param name="choice">The evaluations and the suggestion.</param>
    /// <param name="photos">Number of training pictures; null where it is not known.</param>
    /// <returns>At least one; <see cref="AdviceKind.Sound"/> alone where there is nothing to change.</returns>
    public static IReadOnlyList<EvaluationAdvice> Of(EvaluationChoice choice, int? photos = null)
    {
        ArgumentNullException.ThrowIfNull(choice);
        if (choice.Suggested is not { } suggested)
            return [];
        var late = choice.AsTrained().First();
        var (overtrained, copying) = (Overtraining(choice, late), Copying(late, choice.Base));
        // Of "more steps" and "fewer steps" one is said: a training that went too far is not also too short.
        var learning = overtrained is null && copying is null ? Learning(choice, suggested, late) : null;
        EvaluationAdvice[] found =
        [
            .. new[]
            {
                learning, overtrained, Leak(choice, late, learning is not null), copying,
                Background(choice, late, learning is not null), Photos(suggested.Judge, photos), Pictures(suggested),
                ClassPictures(late), Comparison(choice),
            }.OfType<EvaluationAdvice>(),
        ];
        return found.Length > 0 ? found
            :
            [
                new(
                    AdviceKind.Sound, $"Nothing to change was found. Use {suggested.Name}.",
                    $"{suggested.Judge.FidelityScore} {suggested.Fidelity!.Text()}"),
            ];
    }

    private static EvaluationAdvice? Learning(EvaluationChoice choice, SubjectEvaluation suggested, SubjectEvaluation late)
    {
        var (score, ceiling) = (suggested.Judge.FidelityScore, suggested.Judge.Ceiling);
        if (choice.Base is { Fidelity: not null } bare && bare.DifferenceTo(suggested, score) is { IsAboveZero: false } gain
            && suggested.Pictures.Count >= FewestPictures)
        {
            return new(
                AdviceKind.Undertrained,
                $"Undertrained: pictures of {suggested.Name} are not shown to be nearer to the subject than those of the model without "
                + "LoRA. Train more steps (--max_train_steps) or with a higher --learning_rate, and check that the prompts name the "
                + "identifier.",
                $"{score} of {suggested.Name} less that without LoRA: {gain.Signed}");
        }

        if (suggested.Lora is null || suggested.Lora != late.Lora || Before(choice, suggested) is not { } before
            || before.DifferenceTo(suggested, score) is not { IsAboveZero: true } rise
            || PartOfTheWay(choice.Base?.Fidelity?.Mean, suggested.Fidelity!.Mean, ceiling) is not { } part || part >= LearnedPart)
            return null;
        return new(
            AdviceKind.Undertrained,
            "Undertrained: fidelity still rises at the end of the training while prompts are followed. Train more steps "
            + "(--max_train_steps), or with a higher --learning_rate or --rank.",
            $"{score}, {suggested.Name} less {before.Name}: {rise.Signed}; {Percent(part)} of the way from the model without LoRA to the "
            + $"real pictures among themselves ({Number(ceiling)})");
    }

    private static EvaluationAdvice? Overtraining(EvaluationChoice choice, SubjectEvaluation late)
    {
        var score = late.Judge.AdherenceScore;
        var reference = choice.Base ?? choice.Evaluations.FirstOrDefault(other => other != late && other.Scale == late.Scale);
        var fall = score == SubjectJudge.ClipTextScore ? EvaluationChoice.MostClipTextFall : EvaluationChoice.MostFall;
        if (reference?.DifferenceTo(late, score) is not { IsBelowZero: true } difference || -difference.Mean <= fall)
            return null;
        var instead = choice.Suggested is { } suggested && suggested != late ? $"Use {suggested.Name}. " : string.Empty;
        return new(
            AdviceKind.Overtrained,
            $"Overtrained: {late.Name} follows prompts less than {(reference.IsBase ? "the model without LoRA" : reference.Name)}. "
            + $"{instead}Next time train fewer steps (--max_train_steps), with a lower --learning_rate or --rank, or with "
            + "--with_prior_preservation.",
            $"{score}, {late.Name} less {reference.Name}: {difference.Signed}");
    }

    private static EvaluationAdvice? Leak(EvaluationChoice choice, SubjectEvaluation late, bool isShort)
    {
        var bare = choice.Base?.Means.GetValueOrDefault(SubjectEvaluation.ClassFidelity);
        if (late.Means.GetValueOrDefault(SubjectEvaluation.ClassLeak) is not { IsAboveZero: true } leak || bare is null
            || PartOfTheWay(bare.Mean, bare.Mean + leak.Mean, late.Judge.Ceiling) is not { } part || part < NotedPart)
            return null;
        return new(
            AdviceKind.IdentifierLeaks,
            $"The identifier leaks into the class: pictures of the class prompt by {late.Name} move towards the subject. Train with "
            + "--with_prior_preservation, more --num_class_images or a higher --prior_loss_weight; train the text encoders more slowly "
            + $"(--text_encoder_lr) or not at all{(isShort ? string.Empty : ", or stop earlier")}.",
            $"{late.Judge.FidelityScore} of the class prompt's pictures (PRES), {late.Name} less no LoRA: {leak.Signed}, "
            + $"{Percent(part)} of the way to the real pictures"
            + (late.Means.GetValueOrDefault(SubjectEvaluation.DriftScore) is { } drift ? $"; drift {drift.Text()}" : string.Empty));
    }

    private static EvaluationAdvice? Copying(SubjectEvaluation late, SubjectEvaluation? bare)
    {
        if (late.Means.GetValueOrDefault(SubjectEvaluation.CopyScore) is not { } copies || !(copies.Low > EvaluationChoice.MostCopies))
            return null;
        var own = bare?.Means.GetValueOrDefault(SubjectEvaluation.CopyScore);
        return own is { } without && without.Mean >= copies.Mean ? null : new(
            AdviceKind.Copies,
            $"{late.Name} gives training pictures back. Train fewer steps (--max_train_steps) or with a lower --learning_rate or --rank, "
            + "and with more photos that differ more.",
            $"copies among its pictures: {copies.Text("0 %")}"
            + (late.Judge.CopyThreshold is { } threshold ? $", above {Number(threshold)}, the largest cosine of two photos" : string.Empty)
            + (own is null ? string.Empty : $"; without LoRA {own.Text("0 %")}"));
    }

    private static EvaluationAdvice? Background(EvaluationChoice choice, SubjectEvaluation late, bool isShort)
    {
        const string Score = EmbeddingScores.SurroundingsScore;
        var bare = choice.Base?.Means.GetValueOrDefault(Score);
        if (bare is null || choice.Base!.DifferenceTo(late, Score) is not { IsAboveZero: true } rise
            || PartOfTheWay(bare.Mean, bare.Mean + rise.Mean, late.Judge.SurroundingsCeiling) is not { } part || part < NotedPart)
            return null;
        return new(
            AdviceKind.Background,
            $"The background was learned: with the middle covered, pictures of {late.Name} resemble the photos' surroundings more than "
            + "those without LoRA do. Take photos in different places, crop them closer, or name the surroundings in captions"
            + (isShort ? "." : "; train fewer steps."),
            $"{Score}, {late.Name} less no LoRA: {rise.Signed}, {Percent(part)} of the way to the photos among themselves");
    }

    private static EvaluationAdvice? Photos(JudgeFacts judge, int? photos)
    {
        var alike = judge.FidelityScore == SubjectJudge.DinoScore && judge.Ceiling > TooAlike;
        if (photos is not { } count || (count >= FewestPhotos && !alike))
            return null;
        return new(
            AdviceKind.FewPhotos,
            count < FewestPhotos
                ? "Too few photos: add some with other poses, distances and places, so that the subject is what they share."
                : "The photos are nearly one picture: add some with other poses, distances and places.",
            $"{count} photos; their {judge.FidelityScore} among themselves: {Number(judge.Ceiling)}");
    }

    private static EvaluationAdvice? Pictures(SubjectEvaluation suggested) => suggested.Pictures.Count >= FewestPictures ? null
        : new(
            AdviceKind.FewPictures, "Too few pictures to tell candidates apart: give more prompts or --seeds.",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{suggested.Pictures.Count} of {suggested.Name}; {FewestPictures} or more are enough"));

    // With none nothing is said of the class at all, and none are missed.
    private static EvaluationAdvice? ClassPictures(SubjectEvaluation late) =>
        late.ClassPictures.Count is 0 or >= ScoreInterval.FewestPictures ? null : new(
            AdviceKind.FewPictures,
            "Too few pictures of the class prompt: whether the identifier leaks into the class cannot be told. Generate more of them "
            + "(--class_seeds).",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{late.ClassPictures.Count} of the class prompt by {late.Name}; {ScoreInterval.FewestPictures} or more are needed"));

    // Without the model's own pictures nothing tells what the training did.
    private static EvaluationAdvice? Comparison(EvaluationChoice choice) => choice.Base is not null ? null : new(
        AdviceKind.NoComparison,
        "There are no pictures without LoRA, so nothing is said of what the training did. Generate the same prompts and seeds without it "
        + "and evaluate both folders, or give the LoRA (--lora) instead of folders.",
        "sets: " + string.Join(", ", choice.Evaluations.Select(evaluation => evaluation.Name)));

    private static SubjectEvaluation? Before(EvaluationChoice choice, SubjectEvaluation evaluation) =>
        choice.Evaluations.TakeWhile(other => other != evaluation)
            .LastOrDefault(other => !other.IsBase && other.Scale == evaluation.Scale && other.Lora != evaluation.Lora);

    private static double? PartOfTheWay(double? from, double at, double? to) =>
        from is { } start && to is { } end && end > start ? (at - start) / (end - start) : null;

    private static string Number(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);

    private static string Percent(double part) => string.Create(CultureInfo.InvariantCulture, $"{100 * part:0} %");
}
