namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>What the classifier reads from the real pictures of the character: the most that a training can come to.</summary>
/// <param name="Fidelity">Mean cosine of features between each two real pictures.</param>
/// <param name="Identity">Part of the real pictures that show the character to the probe, 0 to 1.</param>
/// <param name="DecodedFidelity">
/// Mean cosine of features between the real pictures and the same after the autoencoder, other pictures only.
/// </param>
/// <param name="DecodedIdentity">Part of the pictures after the autoencoder that show the character to the probe, 0 to 1.</param>
internal sealed record DreamBoothCeiling(double Fidelity, double Identity, double DecodedFidelity, double DecodedIdentity);
