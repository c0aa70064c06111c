using Dreambooth.Lab.Evaluation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class EmbeddingScoresTests
{
    private static readonly double Half = Math.Sqrt(0.5);

    [Fact]
    public void Of_KnownEmbeddings_GivesTheCosines()
    {
        var real = new SubjectEmbeddings(Vectors((1, 0), (0, 1)), Vectors((1, 0), (1, 0)));
        var pictures = new SubjectEmbeddings(Vectors((1, 0), (1, 1), (0, 2)), Vectors((1, 0), (0, 1), (1, 1)));
        var prompts = new Dictionary<string, UnitVectors> { ["one"] = Vectors((0, 1)) };
        var scores = EmbeddingScores.Of([Of("one"), Of("one"), Of(null)], pictures, prompts, real, ["a", "b"]);
        Same([0.5, Half, 0.5], scores, SubjectJudge.DinoScore);
        Same([1, 0, Half], scores, SubjectJudge.ClipImageScore);
        Same([0, 1, double.NaN], scores, SubjectJudge.ClipTextScore);
        Same([1 - Half, 1 - Half, double.NaN], scores, SubjectEvaluation.DiversityScore);
        Same([1, Half, 1], scores, SubjectJudge.NearestScore);
        // The two real pictures have cosine 0.
        Same([1, 1, 1], scores, SubjectEvaluation.CopyScore);
        Assert.Equal(["a", "a", "b"], scores.Select(score => score.Nearest));
    }

    [Fact]
    public void WithDrift_ClassPictures_AreComparedWithThoseOfTheSameSeed()
    {
        PictureScores[] bare = [Class(1), Class(0)], own = [Class(0), Class(1), Of("one"), Class(7)];
        var scores = EmbeddingScores.WithDrift(own, Vectors((1, 0), (1, 1), (1, 0), (1, 0)), bare, Vectors((1, 0), (0, 1)));
        Same([1, 1 - Half, double.NaN, double.NaN], scores, SubjectEvaluation.DriftScore);
    }

    private static void Same(double[] expected, PictureScores[] scores, string name) =>
        Assert.All(expected.Zip(scores), pair => Assert.Equal(pair.First, pair.Second[name], 1e-12));

    private static PictureScores Of(string? prompt) => new() { Path = "p.png", Prompt = prompt, Seed = 0 };

    private static PictureScores Class(ulong seed) => new() { Path = "c.png", Prompt = "a cat", Seed = seed, IsOfClass = true };

    private static UnitVectors Vectors(params (double X, double Y)[] rows)
    {
        using var values = tensor(rows.SelectMany(row => new[] { row.X, row.Y }).ToArray(), [rows.Length, 2]);
        return UnitVectors.Of(values);
    }
}
