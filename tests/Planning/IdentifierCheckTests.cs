using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Tests.Planning;

public sealed class IdentifierCheckTests
{
    [Theory]
    [InlineData("a photo of gmc cat", null, "gmc")]
    [InlineData("a photo of gmc cat", "a photo of a cat", "gmc")]
    [InlineData("gmc cat", null, "gmc")]
    [InlineData("a watercolor of the xyz dog", null, "xyz")]
    [InlineData("a photo of a cat", "a photo of a cat", null)]
    [InlineData("a photo of Gmc, the cat", "a cat", "gmc")]
    public void WordOf_APrompt_IsTheWordOfTheSubject(string prompt, string? ofClass, string? expected) =>
        Assert.Equal(expected, IdentifierCheck.WordOf(prompt, ofClass));

    [Theory]
    [InlineData("rare", null)]
    [InlineData("common", "is a common word")]
    [InlineData("rare cat", "ends in the common word “cat”")]
    [InlineData("a b c d", "is split into 4 tokens")]
    [InlineData("a b rare", null)]
    public void Of_AWordThatIsSplitSo_WarnsWhereItIsNoGoodName(string split, string? complaint)
    {
        var tokenizer = new Words(split);
        var check = IdentifierCheck.Of("a photo of gmc cat", null, [new("CLIP-L", tokenizer, 77, 77), new("CLIP-G", tokenizer, 77, 77)]);
        Assert.Equal(complaint is null ? PreflightStatus.Ok : PreflightStatus.Warning, check.Status);
        Assert.Contains(complaint ?? "is ", check.Message, StringComparison.Ordinal);
        Assert.Equal(2, check.Details.Count);
    }

    [Fact]
    public void Of_APromptWithoutAWordOfItsOwn_Warns()
    {
        var check = IdentifierCheck.Of("a photo of a cat", "a photo of a cat", []);
        Assert.Equal(PreflightStatus.Warning, check.Status);
        Assert.Contains("has no word of its own", check.Message, StringComparison.Ordinal);
    }

    // A vocabulary as large as the published one, in which every word splits as told.
    private sealed class Words(string split) : ITextTokenizer
    {
        private const int Last = 49407;

        private readonly (int Id, string Spelling)[] _tokens =
            [.. split.Split(' ').Select((word, i) => (word is "rare" ? 30_000 + i : 1000 + i, word.Length == 1 ? word : word + "</w>"))];

        public int ModelMaxLength => 77;

        public int PadTokenId => Last;

        public int? EosTokenId => Last;

        public IReadOnlyList<int> Encode(string text) =>
            text.Length == 0 ? [Last - 1, Last] : [Last - 1, .. _tokens.Select(token => token.Id), Last];

        public long[] EncodePadded(string text, int maxLength) => throw new NotSupportedException();

        public string Token(int id) => _tokens.Single(token => token.Id == id).Spelling;

        public string TokenText(int id) => Token(id);
    }
}
