using System.Globalization;

namespace Dreambooth.Lab.Foundation;

/// <summary>The limits of prompts and captions. Encoders read 77 tokens (CLIP) and at most 512 (T5); far more is a mistake.</summary>
internal static class PromptText
{
    /// <summary>The longest text that is accepted.</summary>
    public const int MostCharacters = 10_000;

    /// <summary>Says what is wrong with a prompt; null when nothing is.</summary>
    /// <param name="text">The prompt, or null for none.</param>
    /// <param name="name">What it is called: an option, or file and line.</param>
    public static string? Complaint(string? text, string name) => text is null || text.Length <= MostCharacters
        ? null
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{name} has {text.Length:N0} characters (\"{ShownText.Line(text, 40)}\"); at most {MostCharacters:N0} are valid.");

    /// <summary>Says what is wrong with some prompts, a sentence each.</summary>
    /// <param name="prompts">What each is called, and the prompt or null for none.</param>
    public static IEnumerable<string> Complaints(params (string Name, string? Text)[] prompts) =>
        prompts.Select(prompt => Complaint(prompt.Text, prompt.Name)).OfType<string>();

    /// <summary>Takes a prompt.</summary>
    /// <param name="text">The prompt.</param>
    /// <param name="name">What it is called: an option, or file and line.</param>
    /// <exception cref="LabException">It is too long.</exception>
    public static string Check(string text, string name) => Complaint(text, name) is { } error ? throw new LabException(error) : text;
}
