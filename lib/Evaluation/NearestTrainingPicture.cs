namespace Dreambooth.Lab.Evaluation;

/// <summary>The training picture that a generated one is most similar to.</summary>
/// <param name="Index">Its place among the training pictures, from 0.</param>
/// <param name="Similarity">The cosine of the two.</param>
/// <param name="IsCopy">Whether that is above <see cref="CopySearch.Threshold"/>.</param>
internal sealed record NearestTrainingPicture(int Index, double Similarity, bool IsCopy);
