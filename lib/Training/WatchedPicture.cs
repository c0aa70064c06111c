namespace Dreambooth.Lab.Training;

/// <summary>A validation picture beside the photos, and beside the picture of the same noise whose prompt lacks the identifier.</summary>
/// <param name="Index">Which of the validation pictures.</param>
/// <param name="Nearest">The file name of the photo that it is most similar to; null without a judge that tells.</param>
/// <param name="Similarity">The judge's cosine of the two, −1 to 1.</param>
/// <param name="IsCopy">Whether the two are more alike than any two photos; null where that cannot be told.</param>
/// <param name="WithoutNearest">The same for the picture without the identifier; null where there is none.</param>
/// <param name="WithoutSimilarity">
/// The cosine of the picture without the identifier and its nearest photo: near that of the picture with it, the class has become the
/// subject.
/// </param>
public sealed record WatchedPicture(
    int Index, string? Nearest, double? Similarity, bool? IsCopy, string? WithoutNearest = null, double? WithoutSimilarity = null)
{
    /// <summary>The file of the nearest photo, while the training runs; null in what is read from a log.</summary>
    internal string? Photo { get; init; }
}
