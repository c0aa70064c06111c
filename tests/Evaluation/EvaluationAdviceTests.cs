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
    public void Of_ShortTrainingThatLeaks_IsNotToldToStopEarlier()
    {
        var advice = Advice(12, Bare, Set("step 1", 1, 0.45, 0.3, 0.36, 0.3), Set("final", 1, 0.5, 0.3, 0.55, 0.5));
        Assert.Equal(
            [AdviceKind.Undertrained, AdviceKind.IdentifierLeaks, AdviceKind.Background], advice.Select(entry => entry.Kind));
        Assert.All(advice, entry => Assert.DoesNotContain("earlier", entry.Words, StringComparison.Ordinal));
        Assert.All(advice, entry => Assert.DoesNotContain("fewer", entry.Words, StringComparison.Ordinal));
        var whole = Advice(12, Bare, Set("step 1", 1, 0.6, 0.3, 0.36, 0.3), Set("final", 1, 0.72, 0.3, 0.55, 0.5));
        Assert.Contains(", or stop earlier.", whole[0].Words, StringComparison.Ordinal);
        Assert.EndsWith("train fewer steps.", whole[1].Words, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_TrainingThatChangedOnlyAdherence_IsNotToldToTrainMore() => Assert.Equal(
        [AdviceKind.Overtrained], Kinds(12, Bare, Set("final", 1, 0.40, 0.24, 0.35, 0.3)));

    [Fact]
    public void Of_SurroundingsOfThePhotos_WereLearned() => Assert.Equal(
        [AdviceKind.Background], Kinds(12, Bare, Set("step 1", 1, 0.6, 0.3, 0.36, 0.3), Set("final", 1, 0.72, 0.3, 0.36, 0.5)));

    [Fact]
    public void Of_CopiesAtTheEnd_AreToldOf() => Assert.Equal(
        [AdviceKind.Copies],
        Kinds(12, Bare, Set("step 1", 1, 0.6, 0.3, 0.36, 0.3), Set("final", 1, 0.72, 0.3, 0.36, 0.3, (SubjectEvaluation.CopyScore, 0.4))));

    [Fact]
    public void Of_NoPicturesWithoutLora_SaysThatNothingIsCompared() => Assert.Equal(
        [AdviceKind.NoComparison], Kinds(12, Set("step 1", 1, 0.6, 0.3, 0.36, 0.3), Set("final", 1, 0.72, 0.3, 0.36, 0.3)));

    [Theory]
    [InlineData(3, true)]
    [InlineData(4, false)]
    [InlineData(null, false)]
    public void Of_FewPhotos_AreToldOf(int? photos, bool few) => Assert.Equal(
        few, Kinds(photos, Bare, Set("final", 1, 0.72, 0.3, 0.36, 0.3)).Contains(AdviceKind.FewPhotos));

    [Fact]
    public void Of_PhotosThatAreNearlyOnePicture_AreToldOf()
    {
        (PictureSetName, PictureScores[])[] sets = [Bare, Set("final", 1, 0.9, 0.3, 0.36, 0.3)];
        var alike = SubjectEvaluation.Of(MadeEvaluations.Judge with { Ceiling = 0.93 }, sets);
        var entry = Assert.Single(EvaluationAdvice.Of(EvaluationChoice.Of(alike), 12));
        Assert.Equal(AdviceKind.FewPhotos, entry.Kind);
        Assert.Contains("0.930", entry.Figures, StringComparison.Ordinal);
        var apart = SubjectEvaluation.Of(MadeEvaluations.Judge with { Ceiling = 0.91 }, sets);
        Assert.Equal(AdviceKind.Sound, Assert.Single(EvaluationAdvice.Of(EvaluationChoice.Of(apart), 12)).Kind);
    }

    [Fact]
    public void Of_FewerPicturesThanCanTell_SaysSoAndShowsNoDifference()
    {
        static (PictureSetName, PictureScores[]) Few((PictureSetName Set, PictureScores[] Pictures) set, int count) =>
            (set.Set, [.. set.Pictures.Take(count)]);
        var bare = MadeEvaluations.Of("no LoRA", 0, null, (SubjectJudge.DinoScore, 0.4));
        var final = MadeEvaluations.Of("final", 1, null, (SubjectJudge.DinoScore, 0.72));
        Assert.Equal([AdviceKind.FewPictures], Kinds(12, Few(bare, 31), Few(final, 31)));
        Assert.Equal([AdviceKind.Sound], Kinds(12, bare, final));
        Assert.Equal([AdviceKind.FewPictures], Kinds(12, Few(bare, 7), Few(final, 7)));
        Assert.Equal([AdviceKind.FewPictures], Kinds(12, Few(bare, 8), Few(final, 8)));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(2, true)]
    [InlineData(7, true)]
    [InlineData(8, false)]
    public void Of_FewerClassPicturesThanCanTell_SaysSo(int count, bool isSaid)
    {
        (PictureSetName, PictureScores[]) With((PictureSetName Set, PictureScores[] Pictures) set) =>
            (set.Set, [.. set.Pictures.Where(own => !own.IsOfClass), .. set.Pictures.Where(other => other.IsOfClass).Take(count)]);
        var advice = Advice(12, With(Bare), With(Set("final", 1, 0.72, 0.295, 0.36, 0.31)));
        Assert.Equal(isSaid ? AdviceKind.FewPictures : AdviceKind.Sound, Assert.Single(advice).Kind);
        if (isSaid)
            Assert.Equal($"{count} of the class prompt by final × 1; 8 or more are needed", advice[0].Figures);
    }

    [Fact]
    public void Of_FoldersWithoutKnownLora_JudgesTheLast()
    {
        static (PictureSetName, PictureScores[]) Folder(string name, double fidelity, double adherence)
        {
            var (set, pictures) = Set(name, 1, fidelity, adherence, 0.35, 0.3);
            return (set with { Name = name, Lora = null, Scale = null }, pictures);
        }

        var advice = Advice(12, Bare, Folder("early", 0.6, 0.295), Folder("late", 0.73, 0.24));
        var entry = Assert.Single(advice);
        Assert.Equal(AdviceKind.Overtrained, entry.Kind);
        Assert.StartsWith("Overtrained: late follows prompts less", entry.Words, StringComparison.Ordinal);
    }

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
