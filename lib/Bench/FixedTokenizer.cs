using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Bench;

/// <summary>Stands in for a tokenizer where no vocabulary is needed: every text is the same few tokens.</summary>
internal sealed class FixedTokenizer : ITextTokenizer
{
    private const int End = 9;

    public int ModelMaxLength { get; init; } = 77;

    public int PadTokenId => 0;

    public int? EosTokenId => End;

    public IReadOnlyList<int> Encode(string text) => [1, 2, 3, End];

    public long[] EncodePadded(string text, int maxLength) =>
        [.. Encode(text).Select(id => (long)id).Concat(Enumerable.Repeat((long)PadTokenId, maxLength)).Take(maxLength)];

    public string Token(int id) => $"<{id}>";

    public string TokenText(int id) => Token(id);
}
