using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary>Prompts that lack the identifier: their pictures need not show the subject, and pull fidelity down.</summary>
internal static partial class PromptIdentifier
{
    private const int MostNamed = 3;

    [GeneratedRegex(@"[\p{L}\p{N}_]+", RegexOptions.CultureInvariant)]
    private static partial Regex WordPattern { get; }

    /// <summary>The word that stands before the class in the instance prompt: <c>gmc</c> in "a photo of gmc cat".</summary>
    /// <param name="instancePrompt">The prompt of the training; null where it is not known.</param>
    /// <param name="classPrompt">The class prompt, which ends with the class; null where it is not known.</param>
    /// <returns>Null where the two do not tell.</returns>
    public static string? Of(string? instancePrompt, string? classPrompt)
    {
        string[] instance = Words(instancePrompt), ofClass = Words(classPrompt);
        var at = ofClass.Length == 0 ? -1 : Array.LastIndexOf(instance, ofClass[^1]);
        return at > 0 && !ofClass.Contains(instance[at - 1]) ? instance[at - 1] : null;
    }

    /// <summary>A prompt without the identifier: <c>a photo of cat</c> of "a photo of gmc cat".</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="identifier">The word.</param>
    /// <returns>Null where the prompt has no such word, or nothing else.</returns>
    public static string? Without(string prompt, string identifier)
    {
        var matches = WordPattern.Matches(prompt)
            .Where(match => match.Value.Equals(identifier, StringComparison.OrdinalIgnoreCase)).ToList();
        var rest = prompt;
        for (var i = matches.Count - 1; i >= 0; i--)
        {
            var (start, end) = (matches[i].Index, matches[i].Index + matches[i].Length);
            while (end < rest.Length && rest[end] == ' ')
                end++;
            rest = rest.Remove(start, end - start);
        }

        return matches.Count == 0 || string.IsNullOrWhiteSpace(rest) ? null : rest.Trim();
    }

    /// <summary>Says which prompts lack it.</summary>
    /// <param name="prompts">The prompts that are scored for fidelity.</param>
    /// <param name="instancePrompt">As for <see cref="Of"/>.</param>
    /// <param name="classPrompt">As for <see cref="Of"/>; among the prompts it is none of them.</param>
    /// <returns>Null where none does, or the identifier is not known.</returns>
    public static string? Complaint(IReadOnlyList<string> prompts, string? instancePrompt, string? classPrompt)
    {
        if (Of(instancePrompt, classPrompt) is not { } identifier)
            return null;
        string[] without = [.. prompts.Where(prompt => prompt != classPrompt && !Words(prompt).Contains(identifier))];
        if (without.Length == 0)
            return null;
        var named = string.Join(", ", without.Take(MostNamed).Select(prompt => $"\"{ShownText.Line(prompt)}\""));
        return $"{without.Length} of {prompts.Count} prompts lack the identifier '{identifier}', so that their pictures need not show the "
            + $"subject, and fidelity counts them all the same: {named}{(without.Length > MostNamed ? ", …" : string.Empty)}. "
            + "Add it to them, or leave them out.";
    }

    /// <summary>The words of a text, in lower case.</summary>
    /// <param name="text">Null for none.</param>
    public static string[] Words(string? text) => text is null ? []
        : [.. WordPattern.Matches(text.ToLowerInvariant()).Select(match => match.Value)];
}
