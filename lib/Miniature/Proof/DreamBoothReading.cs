namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>
/// What the classifier reads from one model's pictures of the character, of ordinary cats, and of the three families of prompts.
/// </summary>
/// <param name="Fidelity">Mean cosine of features between generated photos of the character and the real pictures of it.</param>
/// <param name="Identity">Part of the photos by prompts with the identifier that show the character, 0 to 1.</param>
/// <param name="ClassIdentity">The same of photos by the same prompts without the identifier.</param>
/// <param name="Adherence">By family: part of what the prompts say that the pictures show, 0 to 1.</param>
/// <param name="FamilyIdentity">
/// By family: part of the pictures that the probe takes for the character, 0 to 1. It has never seen the character as a statue, of gold or
/// on an x-ray, where nothing tells it from another cat.
/// </param>
internal sealed record DreamBoothReading(
    double Fidelity, double Identity, double ClassIdentity, IReadOnlyDictionary<string, double> Adherence,
    IReadOnlyDictionary<string, double> FamilyIdentity);
