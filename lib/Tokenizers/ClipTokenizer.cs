using System.Text;
using Dreambooth.Lab.Foundation;
using Microsoft.ML.Tokenizers;

namespace Dreambooth.Lab.Tokenizers;

/// <summary>
/// CLIP's byte-level BPE (Radford et al. 2021): <c>vocab.json</c> and <c>merges.txt</c>. Ids equal those of transformers
/// 5.17's CLIPTokenizer. The config decides which spellings are special: where the pad token is <c>!</c>, every <c>!</c> of
/// a prompt becomes that token.
/// </summary>
internal sealed class ClipTokenizer : ITextTokenizer
{
    private const string EndOfWord = "</w>";
    private const int MostTokens = 16_777_216;
    private readonly BpeTokenizer _bpe;
    private readonly AddedTokens _added;
    private readonly Dictionary<string, int> _addedIds;
    private readonly Dictionary<int, string> _spellings;
    private readonly SpecialTokenRow _row;

    /// <summary>Loads the tokenizer.</summary>
    /// <param name="config">Config of the tokenizer's folder.</param>
    /// <param name="vocabPath">Path of <c>vocab.json</c>.</param>
    /// <param name="mergesPath">Path of <c>merges.txt</c>.</param>
    /// <exception cref="LabException">A file is malformed, or a special token is not in the vocabulary.</exception>
    public ClipTokenizer(TokenizerConfig config, string vocabPath, string mergesPath)
    {
        ArgumentNullException.ThrowIfNull(config);
        _spellings = [];
        var vocabulary = ReadVocabulary(vocabPath, _spellings);
        _addedIds = [];
        foreach (var token in config.AddedTokens)
        {
            _addedIds[token.Content] = vocabulary.TryGetValue(token.Content, out var id) ? id : token.Id ?? throw Missing(token.Content);
            _spellings[_addedIds[token.Content]] = token.Content;
        }

        _added = new AddedTokens(config, _addedIds, ClipWords.Normalize);
        _row = new SpecialTokenRow(Id(config.BosToken, "bos_token"), Id(config.EosToken, "eos_token"), Id(config.PadToken, "pad_token"));
        ModelMaxLength = config.ModelMaxLength;
        _bpe = CreateBpe(vocabulary, mergesPath, config.UnkToken);

        int Id(string? content, string name) => content is null
            ? throw new LabException(
                $"The tokenizer config in '{config.Folder}' names no {name}; a CLIP tokenizer needs bos_token, eos_token and pad_token.")
            : _addedIds.TryGetValue(content, out var id) ? id : throw Missing(content);

        LabException Missing(string content) =>
            new($"The special token '{ShownText.Line(content)}' of '{config.Folder}' is not in the vocabulary '{vocabPath}'.");
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
    public string TokenText(int id)
    {
        var spelling = Token(id);
        if (_addedIds.ContainsKey(spelling))
            return spelling;
        if (spelling.EndsWith(EndOfWord, StringComparison.Ordinal))
            spelling = spelling[..^EndOfWord.Length];
        return Encoding.UTF8.GetString([.. spelling.Select(ByteSpelling.ToByte)]);
    }

    private List<int> TextIds(string text) => _added.Ids(text, (words, ids) =>
    {
        foreach (var word in ClipWords.Split(words))
            ids.AddRange(_bpe.EncodeToIds(word, considerPreTokenization: false, considerNormalization: false));
    });

    private static BpeTokenizer CreateBpe(Dictionary<string, int> vocabulary, string mergesPath, string? unknown)
    {
        try
        {
            return BpeTokenizer.Create(new BpeOptions(vocabulary)
            {
                Merges = Lines(mergesPath)
                    .Where(line => line.Length > 0 && !line.StartsWith("#version", StringComparison.Ordinal)),
                ByteLevel = true,
                EndOfWordSuffix = EndOfWord,
                UnknownToken = unknown,
            });
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException or IOException)
        {
            throw new LabException($"'{mergesPath}' does not fit its vocabulary: {error.Message}", error);
        }
    }

    private static IEnumerable<string> Lines(string path)
    {
        RegularFile.Require(path);
        return File.ReadLines(path);
    }

    private static Dictionary<string, int> ReadVocabulary(string path, Dictionary<int, string> spellings)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (token, value) in JsonField.ReadFile(path).Entries())
        {
            var id = value.Int(0, MostTokens);
            if (!spellings.TryAdd(id, token))
                throw new LabException(
                    $"{path}: '{ShownText.Line(token)}' and '{ShownText.Line(spellings[id])}' have the same id {id}; "
                    + "each token needs its own.");
            vocabulary.Add(token, id);
        }

        return vocabulary.Count > 0 ? vocabulary : throw new LabException($"The vocabulary '{path}' is empty.");
    }
}
