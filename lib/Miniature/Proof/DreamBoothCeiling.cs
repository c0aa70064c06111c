namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>
/// What the classifier reads from the real pictures of the character, and from what the painter makes of the character by the prompts of
/// the three families: about the most that a training can come to.
/// </summary>
/// <param name="Fidelity">Mean cosine of features between each two real pictures.</param>
/// <param name="Identity">Part of the real pictures that show the character to the probe, 0 to 1.</param>
/// <param name="DecodedFidelity">
/// Mean cosine of features between the real pictures and the same after the autoencoder, other pictures only.
/// </param>
/// <param name="DecodedIdentity">Part of the pictures after the autoencoder that show the character to the probe, 0 to 1.</param>
/// <param name="FamilyAdherence">By family: part of what the prompts say that the painter's own pictures show, 0 to 1.</param>
/// <param name="FamilyIdentity">By family: part of the painter's own pictures that show the character to the probe, 0 to 1.</param>
internal sealed record DreamBoothCeiling(
    double Fidelity, double Identity, double DecodedFidelity, double DecodedIdentity, IReadOnlyDictionary<string, double> FamilyAdherence,
    IReadOnlyDictionary<string, double> FamilyIdentity);
