using Dreambooth.Lab.Miniature;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Tests.Miniature;

public sealed class MiniatureTokenizersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MiniatureTokenizers _tokenizers = new(32);

    public MiniatureTokenizersTests() => _tokenizers.Write(_folder.Path);

    public void Dispose() => _folder.Dispose();

    private ITextTokenizer Load(string name) => TokenizerLoader.Load(Path.Combine(_folder.Path, name));

    private static IEnumerable<string> PromptWords =>
        Directory.GetFiles(Path.Combine(GoldenSet.RepositoryRoot, "data", "prompts", "miniature"), "*.txt")
        .SelectMany(File.ReadAllLines).SelectMany(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Distinct();

    [Fact]
    public void T5_EveryWordOfCaptionsAndPrompts_IsOneToken()
    {
        var tokenizer = Load("tokenizer_3");
        Assert.NotEmpty(PromptWords);
        Assert.All(Captioner.Vocabulary.Concat(PromptWords), word => Assert.Equal(2, tokenizer.Encode(word).Count));
    }

    [Theory]
    [InlineData("tokenizer")]
    [InlineData("tokenizer_2")]
    public void Clip_EveryWordOfCaptionsAndPrompts_IsOneTokenForEachPart(string name)
    {
        var tokenizer = Load(name);
        foreach (var word in Captioner.Vocabulary.Concat(PromptWords))
        {
            var parts = word.Split('-');
            Assert.Equal((2 * parts.Length) - 1, tokenizer.Encode(word).Count - 2);
        }
    }

    [Theory]
    [InlineData("tokenizer", "ein zwölfter Straßenhund")]
    [InlineData("tokenizer_2", "日本 cats & dogs")]
    public void Clip_UnknownText_FallsToBytesWithoutLoss(string name, string text)
    {
        var tokenizer = (ClipTokenizer)Load(name);
        var bytes = tokenizer.Encode(text).Skip(1).SkipLast(1).Select(tokenizer.Token)
            .SelectMany(token => token.Replace("</w>", "", StringComparison.Ordinal).Select(ByteSpelling.ToByte)).ToArray();
        Assert.Equal(text.ToLowerInvariant().Replace(" ", "", StringComparison.Ordinal), System.Text.Encoding.UTF8.GetString(bytes));
    }

    [Fact]
    public void Padding_OfTheTwoClipTokenizers_IsThatOfTheRealModel()
    {
        var (first, second) = (Load("tokenizer"), Load("tokenizer_2"));
        Assert.Equal(_tokenizers.ClipStartId + 1, first.PadTokenId);
        Assert.Equal(0, second.PadTokenId);
        Assert.Equal("!", second.Token(0));
        var (a, b) = (first.EncodePadded("a cat", 32), second.EncodePadded("a cat", 32));
        Assert.Equal(a[..4], b[..4]);
        Assert.Equal(32, a.Length);
        Assert.All(a[4..], id => Assert.Equal(first.EosTokenId, (int)id));
        Assert.All(b[4..], id => Assert.Equal(0, id));
    }

    [Fact]
    public void Windows_OfAll_AreThirtyTwo() =>
        Assert.All(new[] { "tokenizer", "tokenizer_2", "tokenizer_3" }, name => Assert.Equal(32, Load(name).ModelMaxLength));

    [Fact]
    public void Captions_NearlyAll_FitIntoTheWindow()
    {
        var tokenizer = Load("tokenizer");
        var tooLong = Enumerable.Range(0, 2000)
            .Count(seed => tokenizer.Encode(Captioner.Describe(WorldSampler.Draw((ulong)seed), (ulong)seed)).Count > 32);
        Assert.InRange(tooLong, 0, 10);
    }

    [Fact]
    public void Ids_OfAllTokens_AreBelowTheVocabularySize()
    {
        Assert.Equal(_tokenizers.ClipVocabSize - 1, Load("tokenizer").EosTokenId);
        var t5 = Load("tokenizer_3");
        Assert.All(t5.Encode("a very strange ~ caption 42"), id => Assert.InRange(id, 0, _tokenizers.T5VocabSize - 1));
    }

    // SentencePiece and transformers refuse a model without rules, and rules whose root has no children's place within the array.
    [Fact]
    public void T5_Rules_AreAnArrayThatSentencePieceTakesAndChangeNothing()
    {
        var rules = SentencePieceModel.Read(Path.Combine(_folder.Path, "tokenizer_3", "spiece.model")).PrecompiledCharsMap.ToArray();
        var units = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(rules.AsSpan(4, rules.Length - 5)).ToArray();
        Assert.Equal((1024u, 256), (BitConverter.ToUInt32(rules), units.Length));
        Assert.InRange(units[0] >> 10, 1u, 255u);
        Assert.Equal(0u, units[0] & 0x3FF);
        Assert.All(units[1..], unit => Assert.Equal(0u, unit));
        Assert.Equal("\uFF21 \u1E69e\u0301 cat", new CharsMap(rules, "rules").Normalize("\uFF21 \u1E69e\u0301 cat"));
    }

    [Theory]
    [InlineData("tokenizer/vocab.json")]
    [InlineData("tokenizer_2/merges.txt")]
    [InlineData("tokenizer_3/spiece.model")]
    public void Write_Files_AreThoseThatShip(string name) =>
        Assert.Equal(File.ReadAllBytes(Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini", name)),
            File.ReadAllBytes(Path.Combine(_folder.Path, name)));
}
