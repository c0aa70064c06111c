using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Peft;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class LoraMergeVerbTests : IDisposable
{
    private readonly LoraRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public void Merge_TwoWithWeights_ActsAsBothAndTellsWhatItIsMadeOf()
    {
        LoraContent one = DrawnLora.Layer(LoraVariant.Lora), two = DrawnLora.Layer(LoraVariant.Lora, 2, alpha: 1, seed: 7);
        var target = _run.At("merged.safetensors");
        var (code, output, error) = LoraRun.Run(
            "lora", "merge", _run.Write("a", "kohya", one) + "=0.5", _run.Write("b", "diffusers", two), "--output", target);
        Assert.Equal((0, string.Empty), (code, error));
        Assert.Contains("1 layer in the layout of diffusers", output, StringComparison.Ordinal);
        using var read = LoraContents.Read(target);
        GoldenAssert.Close((DrawnLora.Change(one) * 0.5) + DrawnLora.Change(two), DrawnLora.Change(read.Layers[0]), 1e-6, "merged");
        Assert.Contains("\"weight\":0.5", read.Metadata["made_from"], StringComparison.Ordinal);
        (code, output, _) = LoraRun.Run(
            "lora", "merge", target, _run.At("b.safetensors"), "--rank", "2", "--output", _run.At("small.safetensors"));
        Assert.Equal(0, code);
        Assert.Contains("ranks 2 to 2", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Merge_WeightsThatCancel_WritesNoRounding()
    {
        var file = _run.Write("a", "diffusers", DrawnLora.Layer(LoraVariant.Lora));
        var target = _run.At("none.safetensors");
        Assert.Equal(0, LoraRun.Run("lora", "merge", file + "=0.3", file + "=-0.3", "--rank", "1", "--output", target).Code);
        using var read = LoraContents.Read(target);
        Assert.All(read.Layers[0].Tensors, tensor => Assert.Equal(0, tensor.count_nonzero().item<long>()));
    }

    [Fact]
    public void Merge_WhatCannotBe_IsRefused()
    {
        var file = _run.Write("a", "diffusers", DrawnLora.Layer(LoraVariant.Dora));
        foreach (var (args, code, message) in new (string[], int, string)[]
        {
            ([file, file, "-o", _run.At("b.safetensors")], 1, "is a DoRA beside another update"),
            ([file + "=much", "-o", _run.At("b.safetensors")], 2, "has the weight 'much'"),
            ([file + "=1e40", "-o", _run.At("b.safetensors")], 2, "has the weight '1e40'"),
            ([file, "--rank", "0", "-o", _run.At("b.safetensors")], 2, "--rank is 0"),
            ([file, "-o", file], 2, "the file that is read; give another"),
            ([file, "--into", "data/sd3-mini", "--rank", "1", "-o", _run.At("b")], 2, "do not go with it"),
            ([file, "--into", _run.At("nowhere"), "-o", _run.At("b")], 1, "There is no model folder or file at"),
        })
        {
            var (got, _, error) = LoraRun.Run(["lora", "merge", .. args]);
            Assert.Equal(code, got);
            Assert.Contains(message, error, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(_run.At("b.safetensors")));
    }
}
