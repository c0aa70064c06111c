using System.Text;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Miniature;

/// <summary>
/// Learns a byte-level BPE vocabulary (Sennrich et al. 2016, arXiv:1508.07909) in CLIP's layout from a list of words, merging until
/// every word is one token: 256 bytes, the same at the end of a word, the merges, start and end of text.
/// </summary>
internal sealed class BytePairVocabulary
{
    public const string StartOfText = "<|startoftext|>";
    public const string EndOfText = "<|endoftext|>";
    private const string EndOfWord = "</w>";

    private readonly List<string> _tokens;
    private readonly HashSet<string> _known;
    private readonly List<(string Left, string Right)> _merges = [];

    public BytePairVocabulary(IReadOnlyList<string> words)
    {
        // Printable bytes first, then those that are spelled by characters from U+0100 on.
        var bytes = Enumerable.Range(0, 256).Select(value => ByteSpelling.ToCharacter((byte)value)).Order().Select(c => c.ToString())
            .ToList();
        _tokens = [.. bytes, .. bytes.Select(b => b + EndOfWord)];
        _known = [.. _tokens];
        Learn([.. words.Select(Symbols)]);
        _tokens.AddRange([StartOfText, EndOfText]);
    }

    /// <summary>The tokens; a token's place is its id.</summary>
    public IReadOnlyList<string> Tokens => _tokens;

    /// <summary>The merges in the order in which they apply.</summary>
    public IReadOnlyList<(string Left, string Right)> Merges => _merges;

    private static List<string> Symbols(string word)
    {
        var symbols = Encoding.UTF8.GetBytes(word).Select(value => ByteSpelling.ToCharacter(value).ToString()).ToList();
        symbols[^1] += EndOfWord;
        return symbols;
    }

    private void Learn(List<List<string>> words)
    {
        while (true)
        {
            var counts = new Dictionary<(string, string), int>();
            foreach (var word in words)
                for (var i = 1; i < word.Count; i++)
                    counts[(word[i - 1], word[i])] = counts.GetValueOrDefault((word[i - 1], word[i])) + 1;
            if (counts.Count == 0)
                return;
            var (left, right) = counts.OrderByDescending(pair => pair.Value)
                .ThenBy(pair => pair.Key.Item1, StringComparer.Ordinal).ThenBy(pair => pair.Key.Item2, StringComparer.Ordinal).First().Key;
            _merges.Add((left, right));
            if (_known.Add(left + right))
                _tokens.Add(left + right);
            foreach (var word in words)
                Merge(word, left, right);
        }
    }

    private static void Merge(List<string> word, string left, string right)
    {
        for (var i = 1; i < word.Count; i++)
        {
            if (word[i - 1] != left || word[i] != right)
                continue;
            word[i - 1] = left + right;
            word.RemoveAt(i);
        }
    }
}
