using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Tests.Peft;

public sealed class LoraLayerRanksTests
{
    private static readonly LoraConfig Config = new() { Rank = 4, TargetModules = ["attn.to_q"] };

    [Fact]
    public void At_PatternsAsPefts_TheFirstThatMatchesCounts()
    {
        var ranks = new LoraLayerRanks(Config with
        {
            RankPattern = """{"transformer_blocks\\.0\\..*": 16, "attn.to_q": 8}""",
            AlphaPattern = """{"to_k": 2.5}""",
        });
        Assert.Equal((16, 16d), Of("transformer_blocks.0.attn.to_q"));
        Assert.Equal((8, 8d), Of("transformer_blocks.10.attn.to_q"));
        Assert.Equal((4, 2.5), Of("transformer_blocks.10.attn.to_k"));
        Assert.Equal((4, 4d), Of("transformer_blocks.10.attn.to_v"));
        Assert.Equal(["alpha_pattern 'to_k'"], ranks.WithoutMatch(["transformer_blocks.0.attn.to_q", "transformer_blocks.1.attn.to_q"]));

        (int, double) Of(string path) => (ranks.At(path).Rank, ranks.At(path).Alpha);
    }

    [Fact]
    public void At_AnAlphaForAll_StaysThatOfAllAsInPeft()
    {
        var layer = new LoraLayerRanks(Config with { LoraAlpha = 6, RankPattern = """{"to_q": 12}""" }).At("a.to_q");
        Assert.Equal(0.5, layer.Factor);
        Assert.Null(layer.RankPattern);
    }

    [Theory]
    [InlineData("""{"to_q": 0}""", null, "rank_pattern gives 'to_q' 0; valid is a whole number from 1 to 65536")]
    [InlineData("""{"to_q": 1.5}""", null, "rank_pattern gives 'to_q' 1.5")]
    [InlineData("""{"to_(": 1}""", null, "rank_pattern has the key 'to_(', which is no regular expression")]
    [InlineData("to_q=3", null, "rank_pattern")]
    [InlineData("[3]", null, "rank_pattern")]
    [InlineData(null, """{"to_q": -1}""", "alpha_pattern gives 'to_q' -1; valid is a number greater than 0")]
    public void Validate_WhatIsNoPattern_IsRefused(string? ranks, string? alphas, string message) => Assert.Contains(
        message, Assert.Throws<LabException>((Config with { RankPattern = ranks, AlphaPattern = alphas }).Validate).Message,
        StringComparison.Ordinal);
}
