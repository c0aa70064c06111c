using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

public sealed class PromptWeightsTests
{
    [Theory]
    [InlineData("a (gmc cat:1.3) on a (beach:0.5)", "a gmc cat on a beach", 2)]
    [InlineData("a (gmc cat) on a [beach]", "a (gmc cat) on a [beach]", 0)]
    [InlineData("at 12:30 (noon: maybe)", "at 12:30 (noon: maybe)", 0)]
    [InlineData("((cat:1.2))", "(cat)", 1)]
    [InlineData("(:1.2) (a:-1) (b:1e3)", "(:1.2) (a:-1) (b:1e3)", 0)]
    [InlineData("", "", 0)]
    public void Parse_AnyText_TakesOutTheMarksAlone(string prompt, string plain, int marks)
    {
        var parsed = PromptWeights.Parse(prompt);
        Assert.Equal((plain, marks), (parsed.Text, parsed.Marks.Count));
    }

    [Fact]
    public void OfTokens_AMark_CoversItsTokensAndNoSpecialOnes()
    {
        var parsed = PromptWeights.Parse("a photo of (gmc cat:1.3) on grass");
        foreach (var config in new[] { PublishedTokenizers.Clip("tokenizer"), PublishedTokenizers.T5("tokenizer_3") })
        {
            var tokenizer = TokenizerLoader.Load(config, new TokenizerFiles(TinyTokenizers.Root));
            int Tokens(string text) => tokenizer.Encode(text).Count - tokenizer.Encode(string.Empty).Count;
            var begin = tokenizer.Encode(string.Empty).Count - 1;
            var (first, end) = (begin + Tokens("a photo of"), begin + Tokens("a photo of gmc cat"));
            Assert.Equal(
                Enumerable.Range(0, 64).Select(i => i >= first && i < end ? 1.3f : 1f), parsed.OfTokens(tokenizer, 64));
            Assert.Equal(1f, PromptWeights.Parse(new string('a', 300) + " (b:2)").OfTokens(tokenizer, 8)[^1]);
        }
    }

    [Fact]
    public void Encode_Weights_MoveTheMarkedTokensFromTheEmptyPrompt()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var pipeline = TinyPipeline.Load();
        var told = new List<string>();
        var prompts = pipeline.Prompts;
        prompts.Warn = text => told.AddRange(text.Contains("--prompt_weighting", StringComparison.Ordinal) ? [text] : []);
        PromptEmbeddings Of(string text) => prompts.Encode([text], 32);
        Of("a (cat:2)");
        Of("a (cat:2)");
        Assert.Equal(["The prompt 'a (cat:2)' has '(cat:2)', read as plain words; --prompt_weighting makes it a weight."], told);

        prompts.PromptWeighting = true;
        var (plain, empty) = (Of("a cat"), Of(string.Empty));
        GoldenAssert.Exact(plain.PromptEmbeds, Of("a (cat:1)").PromptEmbeds, "weight 1");
        var twice = Of("a (cat:2)");
        GoldenAssert.Exact(plain.PooledPromptEmbeds, twice.PooledPromptEmbeds, "pooled");
        var (all, none) = (Of("(a cat:2)"), Of("a (cat:0)"));
        var marked = (twice.PromptEmbeds != plain.PromptEmbeds).any(2).view(-1);
        Assert.True(marked.any().item<bool>());
        var expected = empty.PromptEmbeds + ((plain.PromptEmbeds - empty.PromptEmbeds) * 2);
        GoldenAssert.Close(expected.squeeze(0)[marked], twice.PromptEmbeds.squeeze(0)[marked], 1e-6);
        GoldenAssert.Close(empty.PromptEmbeds.squeeze(0)[marked], none.PromptEmbeds.squeeze(0)[marked], 1e-6);
        Assert.True((all.PromptEmbeds != plain.PromptEmbeds).any(2).sum().item<long>() > marked.sum().item<long>());
        Assert.Single(told);

        // Rows of a batch keep their own weights.
        var batch = prompts.Encode(["a cat", "a (cat:2)"], 32);
        GoldenAssert.Close(plain.PromptEmbeds, batch.PromptEmbeds.narrow(0, 0, 1), 1e-5);
        GoldenAssert.Close(twice.PromptEmbeds, batch.PromptEmbeds.narrow(0, 1, 1), 1e-5);
    }
}
