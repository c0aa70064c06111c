using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class SubjectEvaluationTests
{
    [Fact]
    public void By_SweepsRecords_MakesASetOfEachLoraAndScale()
    {
        var sets = SubjectEvaluation.By(
            Outcome(
                Result("a", 0, null, 1, 0.2), Result("a", 1, null, 1, 0.4), Result("class", 0, null, 1, 0.1),
                Result("a", 0, "run", 0.5, 0.5), Result("a", 1, "run", 0.5, 0.95), Result("class", 0, "run", 0.5, 0.3)),
            MadeEvaluations.Judge, "class");
        Assert.Equal(["no LoRA", "final × 0.5"], sets.Select(set => set.Name));
        Assert.Equal((true, false), (sets[0].IsBase, sets[1].IsBase));
        Assert.Equal(0.3, sets[0].Fidelity!.Mean, 1e-12);
        Assert.Equal(0.3, sets[1].Means[SubjectEvaluation.ClassFidelity].Mean, 1e-12);
        Assert.Equal(0.2, sets[1].Means[SubjectEvaluation.ClassLeak].Mean, 1e-12);
        // One of the two is above the threshold of 0.9.
        Assert.Equal(0.5, sets[1].Means[SubjectEvaluation.CopyScore].Mean, 1e-12);
        Assert.Equal(0.425, sets[0].DifferenceTo(sets[1], SubjectJudge.DinoScore)!.Mean, 1e-12);
        Assert.Null(sets[1].Adherence);
    }

    [Fact]
    public void DifferenceTo_OtherSeeds_IsNotKnown()
    {
        var sets = SubjectEvaluation.By(Outcome(Result("a", 0, null, 1, 0.2), Result("a", 1, "run", 1, 0.4)), MadeEvaluations.Judge);
        Assert.Null(sets[0].DifferenceTo(sets[1], SubjectJudge.DinoScore));
    }

    [Fact]
    public void Of_OnlyClassPictures_IsRefused()
    {
        var outcome = Outcome(Result("class", 0, "run", 1, 0.2));
        Assert.Contains(
            "no picture of the subject",
            Assert.Throws<LabException>(() => SubjectEvaluation.By(outcome, MadeEvaluations.Judge, "class")).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.1234, 0.1, 0.2, "+0.123 (+0.100 … +0.200)")]
    [InlineData(-0.1, -0.2, -0.0001, "−0.100 (−0.200 … 0.000)")]
    public void Signed_OfADifference_HasASignUnlessItIsZero(double mean, double low, double high, string expected) =>
        Assert.Equal(expected, new ScoreInterval(mean, low, high, 2).Signed);

    [Theory]
    [InlineData(7, false)]
    [InlineData(8, true)]
    public void IsAboveZero_FewPictures_IsNotSaid(int count, bool said)
    {
        var above = new ScoreInterval(0.1, 0.05, 0.2, count);
        Assert.Equal((said, false), (above.IsAboveZero, above.IsBelowZero));
        Assert.Equal(said, new ScoreInterval(-0.1, -0.2, -0.05, count).IsBelowZero);
        Assert.False(new ScoreInterval(0.1, -0.05, 0.2, count).IsAboveZero);
    }

    [Fact]
    public void Mean_PromptsThatShareSomeSeeds_DrawsPicturesOfOneSeedTogether()
    {
        // Of "b" seed 0 is missing: by rank, its pictures would be drawn with those of other seeds.
        PictureScores[] pictures = [.. Pictures("a", 0, 1, 2, 3), .. Pictures("b", 1, 2, 3)];
        ScoreSample[] bySeed =
            [.. pictures.Select(picture => new ScoreSample(picture.Prompt == "a" ? 0 : 1, (long)picture.Seed!, picture["s"]))];
        Assert.Equal(Bootstrap.Mean(bySeed, 0), SubjectEvaluation.Mean(pictures, "s"));
        // No seed in common: the n-th pictures are drawn together.
        PictureScores[] apart = [.. Pictures("a", 10, 11, 12), .. Pictures("b", 20, 21, 22)];
        ScoreSample[] byRank = [.. apart.Select((picture, i) => new ScoreSample(i / 3, i % 3, picture["s"]))];
        Assert.Equal(Bootstrap.Mean(byRank, 0), SubjectEvaluation.Mean(apart, "s"));

        static IEnumerable<PictureScores> Pictures(string prompt, params ulong[] seeds) => seeds.Select(seed => new PictureScores
        {
            Path = $"{prompt}{seed}.png",
            Prompt = prompt,
            Seed = seed,
            Scores = new Dictionary<string, double> { ["s"] = Math.Sin(seed) + prompt.Length },
        });
    }

    private static SweepOutcome Outcome(params SweepResult[] results) => new("made up", "folder", results, results.Length, 1);

    private static SweepResult Result(string prompt, ulong seed, string? lora, double scale, double score) => new()
    {
        Path = $"{prompt}/{seed}.png",
        Item = new SweepItem { Prompt = prompt, Seed = seed, Lora = lora, LoraScale = scale },
        Seconds = 1,
        Scores = new Dictionary<string, double> { [SubjectJudge.DinoScore] = score, [SubjectJudge.NearestScore] = score },
    };
}
