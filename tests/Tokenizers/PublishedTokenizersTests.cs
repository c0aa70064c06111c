using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Tests.Tokenizers;

public sealed class PublishedTokenizersTests
{
    [Theory]
    [InlineData("tokenizer")]
    [InlineData("tokenizer_2")]
    [InlineData("tokenizer_3")]
    public void Configs_Equal_ThePublishedFiles(string name)
    {
        var published = TokenizerConfig.Read(Path.Combine(TinyPipeline.Folder, name));
        var own = name switch
        {
            "tokenizer" => PublishedTokenizers.Clip(published.Folder),
            "tokenizer_2" => PublishedTokenizers.Clip2(published.Folder),
            _ => PublishedTokenizers.T5(published.Folder),
        };
        Assert.Equal(published.AddedTokens, own.AddedTokens);
        Assert.Equal(published with { AddedTokens = [], TokenizerClass = null }, own with { AddedTokens = [], TokenizerClass = null });
        Assert.Equal(
            published.TokenizerClass!.Replace("Fast", "", StringComparison.Ordinal),
            own.TokenizerClass!.Replace("Fast", "", StringComparison.Ordinal));
    }
}
