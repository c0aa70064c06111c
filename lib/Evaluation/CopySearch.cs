using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// Looks for copies of training pictures. A generated picture counts as one where it is more similar to a training picture than any two
/// training pictures are to each other.
/// </summary>
internal sealed class CopySearch
{
    private readonly UnitVectors _training;

    /// <summary>Prepares.</summary>
    /// <param name="training">The training pictures.</param>
    public CopySearch(UnitVectors training)
    {
        _training = training;
        Threshold = training.Count < 2 ? null : Pairs(training.Count).Max(pair => training.Cosine(pair.I, training, pair.J));
    }

    /// <summary>The largest cosine of two training pictures; null where there is only one, so that nothing can be said.</summary>
    public double? Threshold { get; }

    /// <summary>The training picture that each generated one is most similar to.</summary>
    /// <param name="generated">The generated pictures.</param>
    public IReadOnlyList<NearestTrainingPicture> Find(UnitVectors generated) => [.. Enumerable.Range(0, generated.Count).Select(i =>
    {
        var nearest = Enumerable.Range(0, _training.Count).MaxBy(j => generated.Cosine(i, _training, j));
        var cosine = generated.Cosine(i, _training, nearest);
        return new NearestTrainingPicture(nearest, cosine, cosine > Threshold);
    })];

    private static IEnumerable<(int I, int J)> Pairs(int count) =>
        Enumerable.Range(0, count).SelectMany(i => Enumerable.Range(i + 1, count - i - 1).Select(j => (i, j)));
}
