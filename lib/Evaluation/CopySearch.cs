using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// Looks for copies of training pictures. A generated picture counts as one where it is more similar to a training picture than any two
/// training pictures are to each other. One picture that is there twice says nothing of how alike two pictures are and does not count.
/// </summary>
internal sealed class CopySearch
{
    // Cosines of one picture to itself differ from 1 by rounding alone.
    private const double SamePicture = 0.9999;

    private readonly UnitVectors _training;

    /// <summary>Prepares.</summary>
    /// <param name="training">The training pictures.</param>
    public CopySearch(UnitVectors training)
    {
        _training = training;
        double[] alike =
            [.. Pairs(training.Count).Select(pair => training.Cosine(pair.I, training, pair.J)).Where(one => one < SamePicture)];
        Threshold = alike.Length == 0 ? null : alike.Max();
    }

    /// <summary>The largest cosine of two different training pictures; null where there is only one, so that nothing can be said.</summary>
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
