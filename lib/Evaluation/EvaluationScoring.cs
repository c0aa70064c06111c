using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Evaluation;

/// <summary>Scores sets of pictures with a judge: in batches where it is a <see cref="SubjectJudge"/>, else picture by picture.</summary>
/// <param name="judge">The judge; it stays the caller's.</param>
/// <param name="photos">The files of the real pictures, in the order that the judge has seen them.</param>
/// <param name="report">Told pictures done and in all; null for nobody.</param>
internal sealed class EvaluationScoring(IPictureJudge judge, IReadOnlyList<string> photos, Action<int, int>? report = null)
{
    /// <summary>Scores the pictures and takes the means.</summary>
    /// <param name="sets">At least one.</param>
    /// <param name="cancellation">Ends it between two batches.</param>
    /// <returns>One evaluation a set, in order.</returns>
    /// <exception cref="LabException">A picture cannot be read.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<SubjectEvaluation> Run(IReadOnlyList<PictureSet> sets, CancellationToken cancellation) =>
        judge is SubjectJudge subject ? OfEmbeddings(subject, sets, cancellation) : OfPictures(sets, cancellation);

    /// <summary>Compares pictures of every identifier with every subject's photos, by DINO.</summary>
    /// <param name="set">Whose pictures.</param>
    /// <param name="subjects">At least two identifiers, each with the files of its photos.</param>
    /// <param name="cancellation">Ends it between two batches.</param>
    /// <exception cref="LabException">The judge has no DINO, or a picture cannot be read.</exception>
    public SubjectBleed Bleed(
        SubjectEvaluation set, IReadOnlyList<(string Name, IReadOnlyList<string> Photos)> subjects, CancellationToken cancellation)
    {
        var encoders = (judge as SubjectJudge ?? throw new LabException("subject is compared by DINO: give --judge encoders.")).Encoders;
        using var held = encoders.Hold();
        var encoder = new BatchEncoder(encoders);
        UnitVectors Dino(IEnumerable<string> files) => encoder.Encode([.. files], null, cancellation).Dino;
        return SubjectBleed.Of(
            set.Pictures, Dino(set.Pictures.Select(picture => picture.Path)),
            [.. subjects.Select(subject => (subject.Name, Dino(subject.Photos)))]);
    }

    private IReadOnlyList<SubjectEvaluation> OfPictures(IReadOnlyList<PictureSet> sets, CancellationToken cancellation)
    {
        var (done, total) = (0, sets.Sum(set => set.Pictures.Count));
        return SubjectEvaluation.Of(JudgeFacts.Of(judge), [.. sets.Select(set => (set.Name, set.Pictures.Select(picture =>
        {
            cancellation.ThrowIfCancellationRequested();
            var scores = judge.Score(picture.Prompt ?? string.Empty, ImageDecoder.LoadOverWhite(picture.Path));
            report?.Invoke(++done, total);
            return picture with { Judge = judge.Name, Scores = SubjectEvaluation.Known(scores) };
        }).ToArray()))]);
    }

    private IReadOnlyList<SubjectEvaluation> OfEmbeddings(
        SubjectJudge subject, IReadOnlyList<PictureSet> sets, CancellationToken cancellation)
    {
        using var held = subject.Encoders.Hold();
        var encoder = new BatchEncoder(subject.Encoders);
        var prompts = sets.SelectMany(set => set.Pictures).Select(picture => picture.Prompt).OfType<string>().Distinct()
            .ToDictionary(prompt => prompt, prompt => subject.Encoders.Encode([prompt]), StringComparer.Ordinal);
        var (done, total) = (0, sets.Sum(set => set.Pictures.Count));
        var scored = new List<(PictureSetName Name, PictureScores[] Pictures, UnitVectors Dino)>();
        foreach (var set in sets)
        {
            var before = done;
            var embeddings = encoder.Encode(
                [.. set.Pictures.Select(picture => picture.Path)], count => report?.Invoke(before + count, total), cancellation);
            var named = set.Pictures.Select(picture => picture with { Judge = subject.Name }).ToArray();
            scored.Add((set.Name, EmbeddingScores.Of(named, embeddings, prompts, subject.Real, photos), embeddings.Dino));
            done = before + set.Pictures.Count;
        }

        var bare = scored.FirstOrDefault(entry => entry.Name.IsBase);
        return SubjectEvaluation.Of(JudgeFacts.Of(subject), [.. scored.Select(entry => (
            entry.Name,
            bare.Pictures is null || entry.Name.IsBase ? entry.Pictures
                : EmbeddingScores.WithDrift(entry.Pictures, entry.Dino, bare.Pictures, bare.Dino)))]);
    }
}
