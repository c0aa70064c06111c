using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// Several subjects in one model: pictures of every identifier against every subject's photos, by DINO. An identifier bleeds where its
/// pictures are nearer to another subject than that subject's own ceiling makes likely: read rows against the diagonal.
/// </summary>
/// <param name="Subjects">The identifiers with their classes, as prompts name them.</param>
/// <param name="Dino">For each identifier, mean DINO to each subject's photos; null where no prompt names the identifier.</param>
internal sealed record SubjectBleed(IReadOnlyList<string> Subjects, IReadOnlyList<IReadOnlyList<ScoreInterval?>> Dino)
{
    /// <summary>Compares.</summary>
    /// <param name="pictures">Pictures with their prompts.</param>
    /// <param name="dino">Their embeddings, in order.</param>
    /// <param name="subjects">At least two identifiers, each with the embeddings of its photos.</param>
    public static SubjectBleed Of(
        IReadOnlyList<PictureScores> pictures, UnitVectors dino, IReadOnlyList<(string Name, UnitVectors Photos)> subjects)
    {
        double[][] fidelity = [.. subjects.Select(subject => SubjectScores.Fidelity(dino, subject.Photos))];
        return new SubjectBleed(
            [.. subjects.Select(subject => subject.Name)],
            [.. subjects.Select(token =>
                (IReadOnlyList<ScoreInterval?>)[.. fidelity.Select(scores => Mean(pictures, scores, token.Name))])]);
    }

    /// <summary>Reads what <c>--subject</c> takes: <c>gmc cat=FOLDER</c>.</summary>
    /// <param name="texts">What was given, without a <see cref="Complaint"/>.</param>
    public static IReadOnlyList<(string Name, string Folder)> Parse(IReadOnlyList<string> texts) =>
        [.. texts.Select(text => (text[..text.IndexOf('=', StringComparison.Ordinal)].Trim(),
            text[(text.IndexOf('=', StringComparison.Ordinal) + 1)..]))];

    /// <summary>What is wrong with what <c>--subject</c> was given; null where it is valid.</summary>
    public static string? Complaint(IReadOnlyList<string> texts)
    {
        static bool IsWrong(string text) => text.IndexOf('=', StringComparison.Ordinal) is var at && (at < 1 || at == text.Length - 1);
        if (texts.FirstOrDefault(IsWrong) is { } wrong)
            return $"subject is '{ShownText.Line(wrong)}'; valid is IDENTIFIER=FOLDER, such as \"gmc cat=data/cat_gmc\".";
        return Parse(texts).Select(subject => subject.Name).Distinct(StringComparer.Ordinal).Count() is var names && names > 1
            && names == texts.Count ? null : "subject needs at least two different identifiers, each with its folder of photos.";
    }

    private static ScoreInterval? Mean(IReadOnlyList<PictureScores> pictures, double[] scores, string token)
    {
        const string Score = SubjectJudge.DinoScore;
        PictureScores[] named = [.. pictures
            .Select((picture, i) => picture with { Scores = new Dictionary<string, double> { [Score] = scores[i] } })
            .Where(picture => picture.Prompt?.Contains(token, StringComparison.Ordinal) == true)];
        return named.Length == 0 ? null : SubjectEvaluation.Mean(named, Score);
    }
}
