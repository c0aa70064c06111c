using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class EvaluationChoiceTests
{
    private static readonly (PictureSetName, PictureScores[]) Bare = Set("no LoRA", 0, 0.40, 0.300);

    [Fact]
    public void Of_CandidatesWithKnownMeans_SuggestsTheNearestThatFollowsPrompts()
    {
        var choice = EvaluationChoice.Of(MadeEvaluations.All(
            Bare, Set("step 1", 1, 0.50, 0.299), Set("step 2", 1, 0.60, 0.285), Set("step 2", 0.5, 0.55, 0.280),
            Set("final", 1, 0.70, 0.260)));
        Assert.Equal("step 2 × 1", choice.Suggested?.Name);
        Assert.Equal(["step 1 × 1", "step 2 × 1", "final × 1"], choice.Front.Select(evaluation => evaluation.Name));
        Assert.Contains("3 of 4", choice.Reason, StringComparison.Ordinal);
        Assert.Contains("at least 0.279", choice.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_SmallerFallAllowed_SuggestsTheEarlier() => Assert.Equal(
        "step 1 × 1",
        EvaluationChoice.Of(MadeEvaluations.All(Bare, Set("step 1", 1, 0.50, 0.299), Set("final", 1, 0.60, 0.285)), 0.005).Suggested?.Name);

    [Fact]
    public void Of_LorasThatAreShownToBeWorseThanNone_SuggestsNothing()
    {
        var choice = EvaluationChoice.Of(MadeEvaluations.All(Bare, Set("step 1", 1, 0.35, 0.3), Set("final", 1, 0.30, 0.3)));
        Assert.Null(choice.Suggested);
        Assert.Contains("further from the subject than the model without one", choice.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_BestCopiesPhotos_PassesItOver()
    {
        var choice = EvaluationChoice.Of(MadeEvaluations.All(
            Bare, Set("step 1", 1, 0.50, 0.299, (SubjectEvaluation.CopyScore, 0)),
            Set("final", 1, 0.74, 0.295, (SubjectEvaluation.CopyScore, 0.5))));
        Assert.Equal("step 1 × 1", choice.Suggested?.Name);
        Assert.Contains("1 of them gives training pictures back and is passed over", choice.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_NoPrompts_SuggestsTheHighestFidelityAndSaysWhatIsMissing()
    {
        var choice = EvaluationChoice.Of(MadeEvaluations.All(
            MadeEvaluations.Of("a", 1, null, (SubjectJudge.DinoScore, 0.5)),
            MadeEvaluations.Of("b", 1, null, (SubjectJudge.DinoScore, 0.6))));
        Assert.Equal("b × 1", choice.Suggested?.Name);
        Assert.Contains("nothing is known of adherence", choice.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Differences_ConstantShift_ExcludeZeroAndEqualScoresDoNot()
    {
        var choice = EvaluationChoice.Of(MadeEvaluations.All(Set("step 1", 1, 0.50, 0.3), Set("final", 1, 0.60, 0.3)));
        var fidelity = Assert.Single(choice.Differences, difference => difference.Score == SubjectJudge.DinoScore);
        var adherence = Assert.Single(choice.Differences, difference => difference.Score == SubjectJudge.ClipTextScore);
        Assert.Equal(-0.1, fidelity.Difference.Mean, 1e-12);
        Assert.Equal(("lower", "no difference shown"), (fidelity.Verdict, adherence.Verdict));
    }

    [Fact]
    public void Of_CandidateNotShownToBeWorse_IsNamedAsATie()
    {
        var tie = EvaluationChoice.Of(
            MadeEvaluations.All(Bare, Set("step 1", 1, 0.5, 0.3), Set("step 2", 1, 0.6, 0.3), Set("final", 1, 0.6, 0.3)));
        Assert.EndsWith("; not shown to be worse in it: final × 1.", tie.Reason, StringComparison.Ordinal);
        var sure = EvaluationChoice.Of(MadeEvaluations.All(Bare, Set("step 1", 1, 0.5, 0.3), Set("final", 1, 0.6, 0.3)));
        Assert.DoesNotContain("not shown", sure.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_DifferentJudges_IsRefused()
    {
        var one = MadeEvaluations.All(Set("a", 1, 0.5, 0.3));
        var other = SubjectEvaluation.Of(MadeEvaluations.Judge with { Name = "another" }, [Set("b", 1, 0.5, 0.3)]);
        var error = Assert.Throws<LabException>(() => EvaluationChoice.Of([.. one, .. other]));
        Assert.Contains("made up; another", error.Message, StringComparison.Ordinal);
    }

    private static (PictureSetName, PictureScores[]) Set(
        string stage, double scale, double fidelity, double adherence, params (string, double)[] more) =>
        MadeEvaluations.Of(stage, scale, null, [(SubjectJudge.DinoScore, fidelity), (SubjectJudge.ClipTextScore, adherence), .. more]);
}
