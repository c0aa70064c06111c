namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>What became of the class prompt.</summary>
/// <param name="Distance">Mean of 1 − cosine, by DINO, to the pictures of the model without a LoRA of the same noise.</param>
/// <param name="Preservation">PRES: mean cosine, by DINO, to the photos of the subject; high where any cat has become the subject.</param>
internal sealed record DriftReading(ScoreInterval Distance, ScoreInterval Preservation);
