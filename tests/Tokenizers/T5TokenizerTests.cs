namespace Dreambooth.Lab.Tests.Tokenizers;

public sealed class T5TokenizerTests
{
    private const int Unknown = 2;

    [Fact]
    public void Encode_EmptyText_IsTheEndTokenAlone() =>
        Assert.Equal([1], TinyTokenizers.Load("tokenizer_3").Encode(""));

    [Fact]
    public void Encode_UnknownRun_IsOneTokenPerWord() =>
        Assert.Equal(2, TinyTokenizers.Load("tokenizer_3").Encode("☃☃☃☃ ☃☃").Count(id => id == Unknown));

    [Fact]
    public void Encode_SpaceAroundSentinel_BelongsToIt()
    {
        var tokenizer = TinyTokenizers.Load("tokenizer_3");
        Assert.Equal(tokenizer.Encode("the<extra_id_1>cat"), tokenizer.Encode("the  <extra_id_1> \u0085cat"));
        Assert.Equal("<extra_id_1>", tokenizer.Token(tokenizer.Encode("<extra_id_1>")[0]));
    }

    [Fact]
    public void TokenText_WordStart_ShowsWithoutItsMark()
    {
        var tokenizer = TinyTokenizers.Load("tokenizer_3");
        var id = tokenizer.Encode("cat")[0];
        Assert.Equal("▁cat", tokenizer.Token(id));
        Assert.Equal("cat", tokenizer.TokenText(id));
    }
}
