using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Tests.Tokenizers;

public sealed class TokenizerConfigTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_TokensInTheMapOnly_TakesThemFromThere()
    {
        Write("tokenizer_config.json", """{"tokenizer_class": "CLIPTokenizer", "model_max_length": 1e30}""");
        Write("special_tokens_map.json", """{"pad_token": "!", "eos_token": {"content": "<e>", "normalized": true, "lstrip": true}}""");
        var config = TokenizerConfig.Read(_folder.Path);
        Assert.Equal(int.MaxValue, config.ModelMaxLength);
        Assert.Equal("!", config.PadToken);
        Assert.Null(config.BosToken);
        Assert.Equal(
            new AddedToken
            {
                Content = "<e>",
                Normalized = true,
                LStrip = true,
            }, Assert.Single(config.AddedTokens, t => t.Content == "<e>"));
    }

    [Theory]
    [InlineData("{", "not valid JSON")]
    [InlineData("[]", " is []; valid is a JSON object.")]
    [InlineData("""{"added_tokens_decoder": {"x": {"content": "a"}}}""", "added_tokens_decoder has the key 'x'; valid is a token's id.")]
    [InlineData("""{"pad_token": 3}""", "pad_token is 3; valid is a text, or an object with content.")]
    [InlineData("""{"added_tokens_decoder": {"0": {"content": null}}}""", "added_tokens_decoder.0.content is null; valid is a text.")]
    [InlineData(
        """{"added_tokens_decoder": {"0": {"content": "a", "lstrip": "no"}}}""",
        "added_tokens_decoder.0.lstrip is \"no\"; valid is true or false.")]
    [InlineData("""{"added_tokens_decoder": {"99999999999": {"content": "a"}}}""", "the key '99999999999'; valid is a token's id.")]
    [InlineData("""{"model_max_length": 0}""", "model_max_length is 0; valid is a number from 2.")]
    [InlineData("""{"model_max_length": "77"}""", "model_max_length is \"77\"; valid is a finite number.")]
    [InlineData("""{"extra_ids": 1e9}""", "extra_ids is 1e9; valid is a whole number from 0 to 100000.")]
    public void Read_MalformedConfig_SaysWhichFile(string text, string reason)
    {
        Write("tokenizer_config.json", text);
        var error = Assert.Throws<LabException>(() => TokenizerConfig.Read(_folder.Path));
        Assert.Contains("tokenizer_config.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoConfig_SaysWhere()
    {
        var error = Assert.Throws<LabException>(() => TokenizerConfig.Read(_folder.Path));
        Assert.Contains(_folder.Path, error.Message, StringComparison.Ordinal);
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder.Path, name), text);
}
