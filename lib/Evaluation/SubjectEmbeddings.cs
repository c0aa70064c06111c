namespace Dreambooth.Lab.Evaluation;

/// <summary>The same pictures as both encoders see them.</summary>
/// <param name="Dino">DINO's embeddings.</param>
/// <param name="Clip">CLIP's embeddings.</param>
/// <param name="Surroundings">DINO's embeddings with the middle of each picture covered; null where they are not asked for.</param>
internal sealed record SubjectEmbeddings(UnitVectors Dino, UnitVectors Clip, UnitVectors? Surroundings = null);
