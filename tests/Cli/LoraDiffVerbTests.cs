using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tests.Peft;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class LoraDiffVerbTests : IDisposable
{
    private readonly LoraRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public void Diff_TheSameInAnotherLayout_ActsAlike()
    {
        LoraContent[] layers =
        [
            DrawnLora.Layer(LoraVariant.Lora), DrawnLora.Layer(LoraVariant.Lora, seed: 2, path: "transformer_blocks.0.attn.to_k"),
        ];
        var (code, output, error) = LoraRun.Run("lora", "diff", _run.Write("a", "diffusers", layers), _run.Write("b", "kohya", layers));
        Assert.Equal((0, string.Empty), (code, error));
        Assert.Contains("in both: 2 layers, 2 of them equal", output, StringComparison.Ordinal);
        Assert.Contains("metadata lora_adapter_metadata: '{", output, StringComparison.Ordinal);
        Assert.EndsWith("they act alike", output.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void Diff_AnotherAlphaAndALayerMore_IsToldWithTheCodeOfDiff()
    {
        var layer = DrawnLora.Layer(LoraVariant.Lora);
        var other = DrawnLora.Layer(LoraVariant.Lora, path: "transformer_blocks.1.attn.to_k");
        var one = _run.Write("a", "diffusers", layer);
        var two = _run.Write("b", "diffusers", [layer with { Alpha = 3, Factor = 1 }, other]);
        var (code, output, _) = LoraRun.Run("lora", "diff", one, two);
        Assert.Equal(1, code);
        Assert.Contains($"only in B: 1 layer: {other.Key}", output, StringComparison.Ordinal);
        Assert.Contains("metadata lora_adapter_metadata: transformer.lora_alpha: '6' in A, '3' in B", output, StringComparison.Ordinal);
        Assert.DoesNotContain("use_dora", output, StringComparison.Ordinal);
        Assert.Matches($@"{layer.Key} +3 +\S+ +\S+ +0\.5 +1\b", output);
        Assert.EndsWith("they differ", output.TrimEnd(), StringComparison.Ordinal);
        Assert.DoesNotContain("norm of A", LoraRun.Run("lora", "diff", one, two, "--layers", "0").Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--tolerance", "-1", "--tolerance is -1; it must be from 0 to 2")]
    [InlineData("--layers", "-1", "--layers is -1; it must be 0 or more")]
    public void Diff_ANumberThatCannotBe_IsRefused(string option, string value, string message)
    {
        var file = _run.Write("a", "diffusers", [DrawnLora.Layer(LoraVariant.Lora)]);
        var (code, _, error) = LoraRun.Run("lora", "diff", file, file, option, value);
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }
}
