using System.Text;

namespace Dreambooth.Lab.Tokenizers;

/// <summary>
/// CLIP's normalisation and its cut into words, as the reference's tokenizer does them (transformers 5.17,
/// <c>models/clip/tokenization_clip.py</c>, over Hugging Face tokenizers 0.23.2): NFC, runs of white space to one space,
/// lower case by code point (no context: a final capital sigma becomes σ), then the pattern
/// <c>&lt;|startoftext|&gt;|&lt;|endoftext|&gt;|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+</c>.
/// </summary>
internal static class ClipWords
{
    // In a normalised text these spellings are no special tokens any more; they only end a run of punctuation early.
    private static readonly string[] Spelled = ["<|startoftext|>", "<|endoftext|>"];
    private static readonly string[] Contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    /// <summary>Normalises a text.</summary>
    /// <param name="text">Any text.</param>
    /// <returns>The normalised text, of no particular length.</returns>
    public static string Normalize(string text)
    {
        var normalized = new StringBuilder(text.Length);
        var inSpace = false;
        foreach (var rune in Compose(WellFormed(text)).EnumerateRunes())
        {
            var space = Rune.IsWhiteSpace(rune);
            if (!space)
                AppendLower(normalized, rune);
            else if (!inSpace)
                normalized.Append(' ');
            inSpace = space;
        }

        return normalized.ToString();
    }

    /// <summary>Cuts a normalised text into words; white space falls away.</summary>
    /// <param name="text">A text from <see cref="Normalize"/>.</param>
    /// <returns>The words in order.</returns>
    public static IEnumerable<string> Split(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            if (StartsWithAny(text, at, Spelled) is { } spelled)
            {
                yield return "<|";
                yield return spelled[2..^2];
                yield return "|>";
                at += spelled.Length;
                continue;
            }

            if (StartsWithAny(text, at, Contractions) is { } contraction)
            {
                yield return contraction;
                at += contraction.Length;
                continue;
            }

            var rune = Rune.GetRuneAt(text, at);
            if (Rune.IsWhiteSpace(rune))
            {
                at += rune.Utf16SequenceLength;
                continue;
            }

            var end = at + rune.Utf16SequenceLength;
            if (!Rune.IsNumber(rune))
            {
                var letter = Rune.IsLetter(rune);
                while (end < text.Length && Rune.GetRuneAt(text, end) is var next && Continues(next, letter))
                    end += next.Utf16SequenceLength;
            }

            yield return text[at..end];
            at = end;
        }
    }

    private static bool Continues(Rune next, bool letter) =>
        letter ? Rune.IsLetter(next) : !Rune.IsLetter(next) && !Rune.IsNumber(next) && !Rune.IsWhiteSpace(next);

    private static string? StartsWithAny(string text, int at, string[] spellings) =>
        text[at] is '<' or '\''
            ? Array.Find(spellings, s => string.CompareOrdinal(text, at, s, 0, s.Length) == 0)
            : null;

    // .NET refuses to normalise the noncharacter U+FFFE; it composes with nothing, so the text may be cut there.
    private static string Compose(string text) => text.Contains('\uFFFE')
        ? string.Join('\uFFFE', text.Split('\uFFFE').Select(part => part.Normalize(NormalizationForm.FormC)))
        : text.Normalize(NormalizationForm.FormC);

    private static void AppendLower(StringBuilder normalized, Rune rune)
    {
        // The one code point whose lower case is two (Unicode SpecialCasing, unconditional).
        if (rune.Value == 0x130)
        {
            normalized.Append("i\u0307");
            return;
        }

        Span<char> buffer = stackalloc char[2];
        normalized.Append(buffer[..Rune.ToLowerInvariant(rune).EncodeToUtf16(buffer)]);
    }

    /// <summary>Replaces lone surrogates, which have no UTF-8 form, by U+FFFD.</summary>
    public static string WellFormed(string text)
    {
        StringBuilder? mended = null;
        var at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            // A lone surrogate is one char that the enumeration already shows as U+FFFD.
            if (rune == Rune.ReplacementChar && text[at] != '\uFFFD')
                mended ??= new StringBuilder(text, 0, at, text.Length);
            mended?.Append(rune.ToString());
            at += rune.Utf16SequenceLength;
        }

        return mended?.ToString() ?? text;
    }
}
