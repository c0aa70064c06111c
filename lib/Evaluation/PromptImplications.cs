
namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// What a prompt says that a picture must show: its scene, its art and its change, found by the phrases that captions use.
/// </summary>
internal static class PromptImplications
{
    /// <summary>Reads a prompt.</summary>
    /// <param name="prompt">A prompt in the words of captions; an empty one says nothing.</param>
    /// <returns>Attributes with the class that a classifier must read; what the prompt does not say is not there.</returns>
    public static IReadOnlyList<(DrawingAttribute Attribute, int Class)> Of(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        // A golden crown makes no golden cat.
        foreach (var worn in Enum.GetValues<Accessory>().SelectMany(CaptionWords.Accessory))
            prompt = $" {prompt} ".Replace($" {worn} ", " ", StringComparison.Ordinal);
        var implied = new List<(DrawingAttribute, int)>();
        if (Find<SceneKind>(prompt, CaptionWords.Scene) is { } scene)
            implied.Add((DrawingAttributes.Scene, (int)scene));
        if (Find<Rendition>(prompt, art => art == Rendition.Photo ? [] : CaptionWords.Rendition(art)) is { } rendition)
            implied.Add((DrawingAttributes.Rendition, (int)rendition));
        if (Find<PropertyChange>(prompt, change => change == PropertyChange.None ? [] : CaptionWords.Property(change)) is { } property)
            implied.Add((DrawingAttributes.Property, (int)property));
        return implied;
    }

    private static T? Find<T>(string prompt, Func<T, string[]> phrases)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (phrases(value).Any(phrase => Says(prompt, phrase)))
                return value;
        }

        return null;
    }

    // A template says what stands around its place for the subject.
    private static bool Says(string prompt, string template) =>
        template.Split("{0}").SelectMany(part => part.Split("{1}")).Select(part => part.Trim()).Where(part => part.Length > 0)
            .All(part => $" {prompt} ".Contains($" {part} ", StringComparison.Ordinal));
}
