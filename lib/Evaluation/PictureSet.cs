namespace Dreambooth.Lab.Evaluation;

/// <summary>Pictures that are evaluated together, not yet scored.</summary>
/// <param name="Name">What they are.</param>
/// <param name="Pictures">The pictures, at least one.</param>
internal sealed record PictureSet(PictureSetName Name, IReadOnlyList<PictureScores> Pictures);
