namespace Dreambooth.Lab.Evaluation;

/// <summary>The same pictures as both encoders see them.</summary>
/// <param name="Dino">DINO's embeddings.</param>
/// <param name="Clip">CLIP's embeddings.</param>
internal sealed record SubjectEmbeddings(UnitVectors Dino, UnitVectors Clip);
