namespace Dreambooth.Lab.Pipelines;

/// <summary>The training picture that a generated one is most similar to.</summary>
/// <param name="Index">Its place among the training pictures, from 0.</param>
/// <param name="Similarity">The cosine of the two.</param>
/// <param name="IsCopy">Whether that is above the largest cosine of two training pictures.</param>
public sealed record NearestTrainingPicture(int Index, double Similarity, bool IsCopy);
