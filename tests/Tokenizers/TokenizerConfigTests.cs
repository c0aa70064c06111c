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
        Assert.Equal(new AddedToken { Content = "<e>", Normalized = true, LStrip = true }, Assert.Single(config.AddedTokens, t => t.Content == "<e>"));
    }

    [Theory]
    [InlineData("{", "not valid JSON")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("""{"added_tokens_decoder": {"x": {"content": "a"}}}""", "unexpected kind")]
    [InlineData("""{"pad_token": 3}""", "unexpected kind")]
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
