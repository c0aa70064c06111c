using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tests.Peft;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class LoraResizeVerbTests : IDisposable
{
    private readonly LoraRun _run = new();

    public void Dispose() => _run.Dispose();

    [Theory]
    [InlineData("diffusers")]
    [InlineData("kohya")]
    public void Resize_AFile_IsWrittenWithItsOriginAndTheSameFactor(string layout)
    {
        var source = _run.Write("a", "diffusers", DrawnLora.Layer(LoraVariant.Lora, 4, alpha: 6), Other(LoraVariant.Loha));
        var target = _run.At("resized.safetensors");
        var (code, output, error) = LoraRun.Run("lora", "resize", source, "--rank", "2", "--energy", "1", "--to", layout, "-o", target);
        Assert.Equal(0, code);
        Assert.Matches(@"transformer\.transformer_blocks\.0\.attn\.to_q +Lora 4 +2 +\S+ +0\.\d+", output);
        Assert.Contains("ranks 2 to 2, 2 on average", output, StringComparison.Ordinal);
        Assert.Contains("1 layer of LoHa or LoKr became plain LoRA", error, StringComparison.Ordinal);
        using var read = LoraContents.Read(target);
        Assert.Equal([1.5, 2], read.Layers.OrderBy(layer => layer.Key).Select(layer => layer.Factor));
        Assert.Equal("lora resize --rank 2 --energy 1", read.Metadata["made_by"]);
        using var hashed = File.OpenRead(source);
        Assert.Contains(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(hashed)), read.Metadata["made_from"],
            StringComparison.Ordinal);
    }

    [Fact]
    public void Resize_WithoutARankOrOntoItself_IsRefused()
    {
        var source = _run.Write("a", "diffusers", DrawnLora.Layer(LoraVariant.Lora));
        var (code, _, error) = LoraRun.Run("lora", "resize", source, "-o", _run.At("b.safetensors"));
        Assert.Equal(2, code);
        Assert.Contains("Neither --rank nor --energy is given", error, StringComparison.Ordinal);
        (code, _, error) = LoraRun.Run("lora", "resize", source, "--rank", "1", "-o", source);
        Assert.Equal(2, code);
        Assert.Contains("the file that is read; give another", error, StringComparison.Ordinal);
        Assert.False(File.Exists(_run.At("b.safetensors")));
    }

    private static LoraContent Other(LoraVariant variant) =>
        DrawnLora.Layer(variant, 3, path: "transformer_blocks.1.attn.to_k");
}
