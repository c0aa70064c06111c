using Dreambooth.Lab.Evaluation;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class EvaluationAdviceTests
{
    private static readonly (PictureSetName, PictureScores[]) Bare = Set("no LoRA", 0, 0.40, 0.30, 0.35, 0.30);

    [Fact]
    public void Of_GoodTraining_FindsNothingToChange() =>
        Assert.Equal([AdviceKind.Sound], Kinds(12, Bare, Set("step 1", 1, 0.6, 0.3, 0.36, 0.31), Set("final", 1, 0.72, 0.295, 0.36, 0.31)));

    [Fact]
    public void Of_LoraThatChangesNothing_IsUndertrained() =>
        Assert.Equal([AdviceKind.Undertrained], Kinds(12, Bare, Set("final", 1, 0.40, 0.30, 0.35, 0.30)));

    [Fact]
    public void Of_FidelityThatStillRises_IsUndertrained() => Assert.Equal(
        [AdviceKind.Undertrained], Kinds(12, Bare, Set("step 1", 1, 0.45, 0.3, 0.35, 0.3), Set("final", 1, 0.5, 0.3, 0.35, 0.3)));

    [Fact]
    public void Of_AdherenceThatFell_IsOvertrainedAndNamesTheSuggestion()
    {
        var advice = Advice(12, Bare, Set("step 1", 1, 0.6, 0.295, 0.35, 0.3), Set("final", 1, 0.73, 0.24, 0.35, 0.3));
        var entry = Assert.Single(advice);
        Assert.Equal(AdviceKind.Overtrained, entry.Kind);
        Assert.Contains("Use step 1 × 1.", entry.Words, StringComparison.Ordinal);
        Assert.Contains("−0.060", entry.Figures, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_ClassThatBecameTheSubject_Leaks() => Assert.Equal(
        [AdviceKind.IdentifierLeaks], Kinds(12, Bare, Set("step 1", 1, 0.6, 0.3, 0.36, 0.3), Set("final", 1, 0.72, 0.3, 0.55, 0.3)));

    [Fact]
    public void Of_SurroundingsOfThePhotos_WereLearned() => Assert.Equal(
        [AdviceKind.Background], Kinds(12, Bare, Set("step 1", 1, 0.6, 0.3, 0.36, 0.3), Set("final", 1, 0.72, 0.3, 0.36, 0.5)));

    [Fact]
    public void Of_CopiesAtTheEnd_AreToldOf() => Assert.Equal(
        [AdviceKind.Copies],
        Kinds(12, Bare, Set("step 1", 1, 0.6, 0.3, 0.36, 0.3), Set("final", 1, 0.72, 0.3, 0.36, 0.3, (SubjectEvaluation.CopyScore, 0.4))));

    [Theory]
    [InlineData(3, true)]
    [InlineData(4, false)]
    [InlineData(null, false)]
    public void Of_FewPhotos_AreToldOf(int? photos, bool few) => Assert.Equal(
        few, Kinds(photos, Bare, Set("final", 1, 0.72, 0.3, 0.36, 0.3)).Contains(AdviceKind.FewPhotos));

    private static IEnumerable<AdviceKind> Kinds(int? photos, params (PictureSetName, PictureScores[])[] sets) =>
        Advice(photos, sets).Select(advice => advice.Kind);

    private static IReadOnlyList<EvaluationAdvice> Advice(int? photos, params (PictureSetName, PictureScores[])[] sets) =>
        EvaluationAdvice.Of(EvaluationChoice.Of(MadeEvaluations.All(sets)), photos);

    private static (PictureSetName, PictureScores[]) Set(
        string stage, double scale, double fidelity, double adherence, double ofClass, double surroundings,
        params (string, double)[] more) => MadeEvaluations.Of(
        stage, scale, ofClass,
        [
            (SubjectJudge.DinoScore, fidelity), (SubjectJudge.ClipTextScore, adherence), (EmbeddingScores.SurroundingsScore, surroundings),
            .. more,
        ]);
}
