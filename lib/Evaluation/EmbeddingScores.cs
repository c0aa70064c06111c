using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Evaluation;

/// <summary>Scores of pictures from their embeddings, picture by picture.</summary>
internal static class EmbeddingScores
{
    /// <summary>
    /// Name of the mean cosine, by DINO, to the real pictures where the middle of all is covered: how alike the surroundings are. The
    /// lab's own measure, of use only against pictures of the base model of the same prompts and seeds.
    /// </summary>
    public const string SurroundingsScore = "surroundings";

    /// <summary>Scores of one set of pictures.</summary>
    /// <param name="pictures">What is known of them; their scores are replaced.</param>
    /// <param name="embeddings">Of the same pictures, in order.</param>
    /// <param name="prompts">CLIP's embeddings of all prompts, by prompt.</param>
    /// <param name="real">The real pictures.</param>
    /// <param name="names">The real pictures' names.</param>
    public static PictureScores[] Of(
        IReadOnlyList<PictureScores> pictures, SubjectEmbeddings embeddings, IReadOnlyDictionary<string, UnitVectors> prompts,
        SubjectEmbeddings real, IReadOnlyList<string> names)
    {
        var surroundings = embeddings.Surroundings is { } around && real.Surroundings is { } realAround
            ? SubjectScores.Fidelity(around, realAround) : null;
        var copies = new CopySearch(real.Dino);
        var scored = Of(embeddings, real, copies, i => pictures[i].Prompt is { } prompt ? prompts[prompt] : null);
        var alike = Alike(pictures, embeddings.Dino);
        return [.. pictures.Select((picture, i) =>
        {
            var (scores, nearest) = scored[i];
            if (copies.Threshold is not null)
                scores[SubjectEvaluation.CopyScore] = nearest.IsCopy ? 1 : 0;
            if (alike[i] is { } cosine)
                scores[SubjectEvaluation.DiversityScore] = 1 - cosine;
            if (surroundings is not null)
                scores[SurroundingsScore] = surroundings[i];
            return picture with { Scores = scores, Nearest = names[nearest.Index] };
        })];
    }

    /// <summary>The scores that a picture has by itself: DINO, CLIP-I, CLIP-T where it has a prompt, its nearest real picture.</summary>
    /// <param name="pictures">The pictures.</param>
    /// <param name="real">The real pictures.</param>
    /// <param name="copies">Knows the same real pictures.</param>
    /// <param name="promptOf">CLIP's embedding of the prompt of picture i; null for none.</param>
    public static (Dictionary<string, double> Scores, NearestTrainingPicture Nearest)[] Of(
        SubjectEmbeddings pictures, SubjectEmbeddings real, CopySearch copies, Func<int, UnitVectors?> promptOf)
    {
        double[] dino = SubjectScores.Fidelity(pictures.Dino, real.Dino), clip = SubjectScores.Fidelity(pictures.Clip, real.Clip);
        return [.. copies.Find(pictures.Dino).Select((nearest, i) =>
        {
            var scores = new Dictionary<string, double> { [SubjectJudge.DinoScore] = dino[i], [SubjectJudge.ClipImageScore] = clip[i] };
            if (promptOf(i) is { } prompt)
                scores[SubjectJudge.ClipTextScore] = pictures.Clip.Cosine(i, prompt, 0);
            scores[SubjectJudge.NearestScore] = nearest.Similarity;
            return (scores, nearest);
        })];
    }

    /// <summary>
    /// Adds drift to pictures of the class: 1 − cosine, by DINO, to the bare model's picture of the same prompt and seed.
    /// </summary>
    /// <param name="pictures">Scored pictures; those of the class get the score.</param>
    /// <param name="dino">Their embeddings, in order.</param>
    /// <param name="bare">The pictures of the base model.</param>
    /// <param name="bareDino">Their embeddings, in order.</param>
    public static PictureScores[] WithDrift(
        IReadOnlyList<PictureScores> pictures, UnitVectors dino, IReadOnlyList<PictureScores> bare, UnitVectors bareDino)
    {
        var places = bare.Index().Where(other => other.Item.Place is not null).GroupBy(other => other.Item.Place!.Value)
            .ToDictionary(group => group.Key, group => group.First().Index);
        return [.. pictures.Select((picture, i) => picture is { IsOfClass: true, Place: { } place } && places.TryGetValue(place, out var at)
            ? picture with
            {
                Scores = new Dictionary<string, double>(picture.Scores)
                {
                    [SubjectEvaluation.DriftScore] = 1 - dino.Cosine(i, bareDino, at),
                },
            }
            : picture)];
    }

    // The mean cosine to the other pictures of the same prompt; without prompts, to all others of its kind.
    private static double?[] Alike(IReadOnlyList<PictureScores> pictures, UnitVectors dino)
    {
        var alike = new double?[pictures.Count];
        foreach (var group in Enumerable.Range(0, pictures.Count).GroupBy(i => pictures[i].Prompt))
        {
            int[] same = [.. group];
            if (same.Length < 2)
                continue;
            foreach (var (i, mean) in same.Zip(SubjectScores.WithOthers(dino, same)))
                alike[i] = mean;
        }

        return alike;
    }
}
