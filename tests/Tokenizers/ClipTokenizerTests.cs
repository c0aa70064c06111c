using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Tests.Tokenizers;

public sealed class ClipTokenizerTests
{
    [Fact]
    public void Encode_ExclamationMark_IsSpecialOnlyWhereTheConfigSaysSo()
    {
        Assert.NotEqual(0, TinyTokenizers.Load("tokenizer").Encode("!")[1]);
        var second = TinyTokenizers.Load("tokenizer_2");
        Assert.Equal(0, second.PadTokenId);
        Assert.Equal([0, 0, 0], second.Encode("!!!").Skip(1).SkipLast(1));
    }

    [Fact]
    public void Encode_LoneSurrogate_CountsAsReplacementCharacter()
    {
        var tokenizer = TinyTokenizers.Load("tokenizer");
        Assert.Equal(tokenizer.Encode("a\uFFFDcat \uFFFD"), tokenizer.Encode("a\uD83Dcat \uDE00"));
    }

    [Fact]
    public void EncodePadded_NoRoomForSpecialTokens_Throws()
    {
        var tokenizer = TinyTokenizers.Load("tokenizer");
        Assert.Equal([tokenizer.Encode("")[0], tokenizer.EosTokenId!.Value], tokenizer.EncodePadded("a cat", 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.EncodePadded("a cat", 1));
    }

    [Fact]
    public void TokenText_EveryTokenOfAPrompt_ReadsAsThePrompt()
    {
        var tokenizer = TinyTokenizers.Load("tokenizer");
        var ids = tokenizer.Encode("a photo of cat, é");
        Assert.Equal("<|startoftext|>", tokenizer.Token(ids[0]));
        Assert.Contains(ids, id => tokenizer.Token(id) == "cat</w>" && tokenizer.TokenText(id) == "cat");
        Assert.Equal("aphotoofcat,", string.Concat(ids.Skip(1).SkipLast(3).Select(tokenizer.TokenText)));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Token(100_000));
    }

    [Fact]
    public void Constructor_SpecialTokenOutsideTheVocabulary_NamesIt()
    {
        var config = TokenizerConfig.Read(
            TinyTokenizers.Folder("tokenizer")) with
        { AddedTokens = [new AddedToken { Content = "<|lost|>" }] };
        var error = Assert.Throws<LabException>(() => Create(config, TinyTokenizers.Root));
        Assert.Contains("<|lost|>", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("vocab.json", "[1]")]
    [InlineData("vocab.json", "{}")]
    [InlineData("vocab.json", """{"a": "b"}""")]
    [InlineData("merges.txt", "a b c")]
    public void Constructor_DamagedFile_NamesIt(string damaged, string text)
    {
        using var folder = new TemporaryFolder();
        foreach (var name in new[] { "vocab.json", "merges.txt" })
            File.Copy(
                Path.Combine(TinyTokenizers.Folder("clip"), name),
                Path.Combine(Directory.CreateDirectory(Path.Combine(folder.Path, "clip")).FullName, name));
        File.WriteAllText(Path.Combine(folder.Path, "clip", damaged), text);
        var error = Assert.Throws<LabException>(() => Create(TokenizerConfig.Read(TinyTokenizers.Folder("tokenizer")), folder.Path));
        Assert.Contains(damaged, error.Message, StringComparison.Ordinal);
    }

    private static ClipTokenizer Create(TokenizerConfig config, string root) =>
        new(config, Path.Combine(root, "clip", "vocab.json"), Path.Combine(root, "clip", "merges.txt"));
}
