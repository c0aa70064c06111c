using System.Globalization;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tokenizers;

/// <summary>
/// T5's Unigram tokenizer over <c>spiece.model</c>. Ids equal those of transformers 5.17's T5Tokenizer
/// (<c>models/t5/tokenization_t5.py</c>): added tokens are cut out, the rest is normalised with the model's compiled rules, cut at
/// white space, each word gets a ▁ in front, and the words are segmented one by one.
/// </summary>
internal sealed class T5Tokenizer : ITextTokenizer
{
    private const char WordMark = '\u2581';
    private const string Sentinel = "<extra_id_";
    private readonly UnigramModel _unigram;
    private readonly AddedTokens _added;
    private readonly Dictionary<int, string> _spellings;
    private readonly SpecialTokenRow _row;

    /// <summary>Loads the tokenizer.</summary>
    /// <param name="config">Config of the tokenizer's folder.</param>
    /// <param name="modelPath">Path of <c>spiece.model</c>.</param>
    /// <exception cref="LabException">The file is malformed, or a special token is not in the vocabulary.</exception>
    public T5Tokenizer(TokenizerConfig config, string modelPath)
    {
        ArgumentNullException.ThrowIfNull(config);
        var model = SentencePieceModel.Read(modelPath);
        var pieces = new List<SentencePiece>(model.Pieces);
        var addedIds = AddSentinels(config, model, pieces);
        _spellings = [];
        for (var id = 0; id < pieces.Count; id++)
            _spellings[id] = pieces[id].Text;
        foreach (var (content, id) in addedIds)
            _spellings[id] = content;

        var rules = model.PrecompiledCharsMap.IsEmpty ? null : new CharsMap(model.PrecompiledCharsMap.Span, modelPath);
        _unigram = new UnigramModel(pieces, model.UnkId);
        _added = new AddedTokens(config, addedIds, text => rules?.Normalize(text) ?? text);
        ModelMaxLength = config.ModelMaxLength;
        _row = new SpecialTokenRow(null, Id(config.EosToken, "eos_token"), Id(config.PadToken, "pad_token"));

        int Id(string? content, string name) => content is null
            ? throw new LabException(
                $"The tokenizer config in '{config.Folder}' names no {name}; a T5 tokenizer needs eos_token and pad_token.")
            : addedIds[content];
    }

    /// <inheritdoc/>
    public int ModelMaxLength { get; }

    /// <inheritdoc/>
    public int PadTokenId => _row.Pad;

    /// <inheritdoc/>
    public int? EosTokenId => _row.Eos;

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string text) => _row.Whole(TextIds(text));

    /// <inheritdoc/>
    public long[] EncodePadded(string text, int maxLength) => _row.Padded(TextIds(text), maxLength);

    /// <inheritdoc/>
    public string Token(int id) => _spellings.TryGetValue(id, out var spelling)
        ? spelling
        : throw new ArgumentOutOfRangeException(nameof(id), id, "The vocabulary has no such token.");

    /// <inheritdoc/>
    public string TokenText(int id) => Token(id).TrimStart(WordMark);

    private List<int> TextIds(string text) => _added.Ids(text, (words, ids) =>
    {
        foreach (var word in Words(words))
            _unigram.Encode(word, ids);
    });

    private static IEnumerable<string> Words(string text)
    {
        foreach (var chunk in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            // A mark that the text itself holds starts a word of its own.
            var marked = chunk[0] == WordMark ? chunk : WordMark + chunk;
            for (var start = 0; start < marked.Length;)
            {
                var next = marked.IndexOf(WordMark, start + 1);
                var end = next < 0 ? marked.Length : next;
                yield return marked[start..end];
                start = end;
            }
        }
    }

    /// <summary>
    /// Ids of the added tokens; sentinels behind the model's own pieces join the vocabulary with score 0, highest number first.
    /// </summary>
    private static Dictionary<string, int> AddSentinels(TokenizerConfig config, SentencePieceModel model, List<SentencePiece> pieces)
    {
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < pieces.Count; id++)
            known.TryAdd(pieces[id].Text, id);
        for (var number = config.ExtraIds - 1; number >= 0; number--)
        {
            var spelling = $"{Sentinel}{number.ToString(CultureInfo.InvariantCulture)}>";
            if (known.TryAdd(spelling, pieces.Count))
                pieces.Add(new SentencePiece(spelling, 0, SentencePieceType.UserDefined));
        }

        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var token in config.AddedTokens)
            ids[token.Content] = known.TryGetValue(token.Content, out var listed)
                ? listed
                : token.Id
                    ?? throw new LabException(
                        $"The special token '{token.Content}' of '{config.Folder}' is not among the {model.Pieces.Count} pieces of its "
                        + "spiece.model.");
        return ids;
    }
}
