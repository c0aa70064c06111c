using System.Globalization;
using System.Text;

namespace Dreambooth.Lab.Tokenizers;

/// <summary>
/// Cuts a text at added tokens: leftmost match first, the longest of those that start there. Follows
/// <c>tokenizer/added_vocabulary.rs</c> of Hugging Face tokenizers 0.23.2.
/// </summary>
internal sealed class AddedTokenSplitter
{
    private readonly Dictionary<char, (string Pattern, AddedToken Token)[]> _byFirst;

    /// <summary>Prepares the search.</summary>
    /// <param name="tokens">The tokens with the pattern that stands for each in the text.</param>
    public AddedTokenSplitter(IEnumerable<(string Pattern, AddedToken Token)> tokens) =>
        _byFirst = tokens.Where(t => t.Pattern.Length > 0)
            .GroupBy(t => t.Pattern[0])
            .ToDictionary(g => g.Key, g => g.OrderByDescending(t => t.Pattern.Length).ToArray());

    /// <summary>Cuts a text.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The pieces in order: the token and its own text, or null and the text between tokens (never empty).</returns>
    public IEnumerable<(AddedToken? Token, string Text)> Split(string text)
    {
        var done = 0;
        for (var at = 0; at < text.Length;)
        {
            if (Match(text, at) is not { } match)
            {
                at++;
                continue;
            }

            var (start, stop) = (at, at + match.Pattern.Length);
            at = stop;
            if (match.Token.SingleWord && (EndsWithWord(text, start) || StartsWithWord(text, stop)))
                continue;
            if (match.Token.LStrip)
                while (start > done && char.IsWhiteSpace(text[start - 1]))
                    start--;
            if (match.Token.RStrip)
                while (stop < text.Length && char.IsWhiteSpace(text[stop]))
                    stop++;
            if (done < start)
                yield return (null, text[done..start]);
            yield return (match.Token, text[start..stop]);
            (done, at) = (stop, stop);
        }

        if (done < text.Length)
            yield return (null, text[done..]);
    }

    private (string Pattern, AddedToken Token)? Match(string text, int at)
    {
        if (!_byFirst.TryGetValue(text[at], out var candidates))
            return null;
        foreach (var candidate in candidates)
            if (string.CompareOrdinal(text, at, candidate.Pattern, 0, candidate.Pattern.Length) == 0)
                return candidate;
        return null;
    }

    private static bool StartsWithWord(string text, int at) =>
        at < text.Length && Rune.TryGetRuneAt(text, at, out var rune) && IsWord(rune);

    private static bool EndsWithWord(string text, int at) =>
        at > 0 && Rune.DecodeLastFromUtf16(text.AsSpan(0, at), out var rune, out _) == System.Buffers.OperationStatus.Done && IsWord(rune);

    private static bool IsWord(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or
        UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark or
        UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.DecimalDigitNumber or
        UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;
}
