namespace Dreambooth.Lab.Evaluation;

/// <summary>The same pictures as both encoders see them.</summary>
/// <param name="Dino">DINO's embeddings.</param>
/// <param name="Clip">CLIP's embeddings.</param>
/// <param name="Surroundings">DINO's embeddings with the middle of each picture covered; null where they are not asked for.</param>
internal sealed record SubjectEmbeddings(UnitVectors Dino, UnitVectors Clip, UnitVectors? Surroundings = null)
{
    /// <summary>All pictures of several batches, in order.</summary>
    /// <param name="parts">At least one; all with surroundings, or none.</param>
    public static SubjectEmbeddings Join(IReadOnlyList<SubjectEmbeddings> parts) => new(
        UnitVectors.Join(parts.Select(part => part.Dino)), UnitVectors.Join(parts.Select(part => part.Clip)),
        parts[0].Surroundings is null ? null : UnitVectors.Join(parts.Select(part => part.Surroundings!)));
}
