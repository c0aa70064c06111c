using System.Text.Json.Nodes;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tests.Peft;
using Dreambooth.Lab.Tests.Pipelines;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class LoraExtractVerbTests : IDisposable
{
    private readonly LoraRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public void Extract_AModelThatALoraWasMergedInto_GivesItBack()
    {
        using var written = new WrittenLora();
        var file = written.WriteWith("""{"transformer.r": 2, "transformer.lora_alpha": 8}""", written.Pair(WrittenLora.Layer));
        var (code, output, error) = LoraRun.Run("lora", "merge", file + "=0.5", "--into", TinyPipeline.Folder, "-o", _run.At("tuned"));
        Assert.Equal((0, string.Empty), (code, error));
        Assert.Contains("diffusion_pytorch_model.safetensors: 1 of its tensors are changed", output, StringComparison.Ordinal);
        var origin = JsonNode.Parse(File.ReadAllText(_run.At("tuned/lora_merge.json")))!;
        Assert.Equal(("lora merge --into", 0.5), ((string?)origin["made_by"], (double?)origin["made_from"]![0]!["weight"]));
        var target = _run.At("extracted.safetensors");
        (code, output, error) = LoraRun.Run(
            "lora", "extract", _run.At("tuned"), TinyPipeline.Folder, "--energy", "0.99", "-o", target);
        Assert.Equal((0, string.Empty), (code, error));
        Assert.Matches($@"transformer\.{WrittenLora.Layer} +1 +\S+ +0\.0\d+", output);
        // The model is stored in bfloat16, whose rounding is in the difference.
        (code, output, _) = LoraRun.Run("lora", "diff", target, file, "--tolerance", "0.6");
        Assert.Equal(0, code);
        Assert.Matches(@"difference 0\.5\d*, cosine (1|0\.99\d+)", output);
        using var read = LoraContents.Read(target);
        Assert.Equal("lora extract --energy 0.99", read.Metadata["made_by"]);
    }

    [Fact]
    public void Extract_NoModelOrTwoThatAreEqual_IsRefused()
    {
        var (code, _, error) = LoraRun.Run(
            "lora", "extract", TinyPipeline.Folder, TinyPipeline.Folder, "--rank", "1", "-o", _run.At("a.safetensors"));
        Assert.Equal(1, code);
        Assert.Contains("do not differ in any layer", error, StringComparison.Ordinal);
        (code, _, error) = LoraRun.Run(
            "lora", "extract", _run.At("no"), TinyPipeline.Folder, "--rank", "1", "-o", _run.At("a.safetensors"));
        Assert.Equal(1, code);
        Assert.Contains("holds no transformer of Stable Diffusion 3", error, StringComparison.Ordinal);
    }
}
