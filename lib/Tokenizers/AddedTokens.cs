namespace Dreambooth.Lab.Tokenizers;

/// <summary>The added tokens of a tokenizer: each is one id wherever it stands in a text; what lies between is cut into words.</summary>
/// <param name="config">The config, with the added tokens.</param>
/// <param name="ids">Their ids by spelling.</param>
/// <param name="normalize">How text is normalised; added tokens that are not marked as normalised are found before it.</param>
internal sealed class AddedTokens(TokenizerConfig config, IReadOnlyDictionary<string, int> ids, Func<string, string> normalize)
{
    private readonly AddedTokenSplitter _written = new(
        config.AddedTokens.Where(token => !token.Normalized).Select(token => (token.Content, token)));

    private readonly AddedTokenSplitter _normalized = new(
        config.AddedTokens.Where(token => token.Normalized).Select(token => (normalize(token.Content), token)));

    /// <summary>The ids of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="addWords">Adds the ids of a stretch of normalised text.</param>
    public List<int> Ids(string text, Action<string, List<int>> addWords)
    {
        ArgumentNullException.ThrowIfNull(text);
        var found = new List<int>();
        foreach (var (written, outer) in _written.Split(ClipWords.WellFormed(text)))
        {
            if (written is not null)
            {
                found.Add(ids[written.Content]);
                continue;
            }

            foreach (var (normalized, inner) in _normalized.Split(normalize(outer)))
            {
                if (normalized is not null)
                    found.Add(ids[normalized.Content]);
                else
                    addWords(inner, found);
            }
        }

        return found;
    }
}
