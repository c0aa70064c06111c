namespace Dreambooth.Lab.Evaluation;

/// <summary>What the classifier reads from one picture of the character.</summary>
/// <param name="Fidelity">Mean cosine of its features to those of the real pictures, −1 to 1; about 0.94 between the real ones.</param>
/// <param name="IsCharacter">
/// Whether the identity probe takes it for the character. The probe has never seen it as a statue, of gold or on an x-ray.
/// </param>
/// <param name="Adherence">Part of what the prompt says that the picture shows, 0 to 1; NaN where it says nothing that can be read.</param>
/// <param name="Asked">What the prompt says, by attribute; for example <c>scene</c>: <c>Beach</c>.</param>
/// <param name="Read">What was read, of every attribute.</param>
internal sealed record CharacterReading(
    double Fidelity, bool IsCharacter, double Adherence, IReadOnlyDictionary<string, string> Asked,
    IReadOnlyDictionary<string, string> Read)
{
    /// <summary>Name of the score <see cref="Fidelity"/>.</summary>
    public const string FidelityScore = "fidelity";

    /// <summary>Name of the score <see cref="IsCharacter"/>, 0 or 1.</summary>
    public const string IdentityScore = "identity";

    /// <summary>Name of the score <see cref="Adherence"/>.</summary>
    public const string AdherenceScore = "adherence";

    /// <summary>What was asked for but not read: "property Origami, read None"; empty where all was.</summary>
    public string Missed =>
        string.Join(
            "; ", Asked.Where(asked => Read[asked.Key] != asked.Value)
                .Select(asked => $"{asked.Key} {asked.Value}, read {Read[asked.Key]}"));

    /// <summary>The scores of a sweep's records; adherence only where there is one.</summary>
    public IReadOnlyDictionary<string, double> Scores()
    {
        var scores = new Dictionary<string, double> { [FidelityScore] = Fidelity, [IdentityScore] = IsCharacter ? 1 : 0 };
        if (!double.IsNaN(Adherence))
            scores[AdherenceScore] = Adherence;
        return scores;
    }
}
