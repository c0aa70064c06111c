using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Planning;

/// <summary>
/// How the tokenizers split the word that will name the subject. A good one is rare and short: one to three tokens that mean little to
/// the model before (Ruiz et al. 2023, arXiv:2208.12242, section 3.2).
/// </summary>
internal static class IdentifierCheck
{
    /// <summary>Tokens of CLIP below this number stand for common words: they are numbered by how common they are.</summary>
    public const int CommonTokens = 20_000;

    // A vocabulary of a toy model says nothing of how common a word is.
    private const int SmallestVocabulary = 30_000;
    private const int MostTokens = 3;
    private const int ShortestWord = 3;
    private const string EndOfWord = "</w>";

    private static readonly string[] Fillers = ["a", "an", "the", "of", "photo", "picture", "image", "portrait", "painting", "in", "on"];

    /// <summary>
    /// The word that names the subject: the one before the class, where the class prompt tells it; else the first after "of", or of all.
    /// </summary>
    /// <param name="instancePrompt">The prompt of the pictures.</param>
    /// <param name="classPrompt">The class prompt; null without one.</param>
    /// <returns>Null where the prompt has no such word.</returns>
    public static string? WordOf(string instancePrompt, string? classPrompt)
    {
        string[] words = PromptIdentifier.Words(instancePrompt), ofClass = PromptIdentifier.Words(classPrompt);
        var own = words.Except(ofClass, StringComparer.Ordinal).Except(Fillers, StringComparer.Ordinal).ToList();
        if (ofClass.Length > 0)
            return own.Count == 0 ? null : own[0];
        var after = words.SkipWhile(word => word != "of").Skip(1).FirstOrDefault(word => !Fillers.Contains(word));
        return after ?? own.FirstOrDefault();
    }

    /// <summary>Makes the check.</summary>
    /// <param name="instancePrompt">The prompt of the pictures.</param>
    /// <param name="classPrompt">The class prompt; null without one.</param>
    /// <param name="readers">The tokenizers; none: the split is not known.</param>
    public static PreflightCheck Of(string instancePrompt, string? classPrompt, IReadOnlyList<PromptReader> readers)
    {
        const string Subject = "identifier";
        if (WordOf(instancePrompt, classPrompt) is not { } word)
        {
            return new(
                Subject, PreflightStatus.Warning,
                $"“{ShownText.Line(instancePrompt)}” has no word of its own for the subject: what is learned will be the class's. A rare "
                + "word before the class names it, as in “a photo of gmc cat”.");
        }

        var shown = ShownText.Line(word);
        if (readers.Count == 0)
            return new(Subject, PreflightStatus.Ok, $"“{shown}”; how it is split is not known without tokenizers");
        var splits = readers.Select(reader => $"{reader.Name}: {reader.Spelled(word)}").ToList();
        var complaint = readers.Where(reader => reader.IsClip).Select(reader => Complaint(word, reader)).OfType<string>().FirstOrDefault();
        var counts = string.Join(", ", readers.Select(reader => $"{Count(reader.Tokens(word).Count)} of {reader.Name}"));
        return complaint is null
            ? new(Subject, PreflightStatus.Ok, $"“{shown}” is {counts}") { Details = splits }
            : new(Subject, PreflightStatus.Warning, $"“{shown}” {complaint}") { Details = splits };
    }

    private static string? Complaint(string word, PromptReader reader)
    {
        if (reader.Tokenizer.EosTokenId is not { } last || last < SmallestVocabulary)
            return null;
        var tokens = reader.Tokens(word);
        if (tokens is [var only])
        {
            return only >= CommonTokens ? null : "is a common word, which means something to the model already: its meaning mixes with the "
                + "subject. A rare word, such as gmc or sks, is learned faster.";
        }

        if (tokens.Count > MostTokens)
            return $"is split into {tokens.Count} tokens, which are learned together only slowly. A rare word of one to three is better.";
        var known = tokens.Select(id => (Id: id, Spelling: reader.Tokenizer.Token(id))).FirstOrDefault(token =>
            token.Id < CommonTokens && token.Spelling.EndsWith(EndOfWord, StringComparison.Ordinal)
            && token.Spelling.Length - EndOfWord.Length >= ShortestWord);
        return known.Spelling is null ? null
            : $"is split so that it ends in the common word “{known.Spelling[..^EndOfWord.Length]}”, whose meaning mixes with the subject. "
                + "A rare word, such as gmc or sks, is learned faster.";
    }

    private static string Count(int tokens) => tokens == 1 ? "1 token" : $"{tokens} tokens";
}
