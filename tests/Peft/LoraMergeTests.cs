using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

public sealed class LoraMergeTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(LoraVariant.Lora, 5)]
    [InlineData(LoraVariant.Loha, 7)]
    [InlineData(LoraVariant.Lokr, 11)]
    public void Of_TwoLoras_IsTheSumOfTheirChanges(LoraVariant other, int rank)
    {
        LoraContent one = DrawnLora.Layer(LoraVariant.Lora, 3), two = DrawnLora.Layer(other, 2, alpha: 3, seed: 2);
        using var merged = LoraMerge.Of([(LoraContents.Of([one]), 0.5), (LoraContents.Of([two]), -2)]);
        var layer = Assert.Single(merged.Layers);
        Assert.Equal((LoraVariant.Lora, rank), (layer.Variant, layer.Rank));
        GoldenAssert.Close((DrawnLora.Change(one) * 0.5) - (DrawnLora.Change(two) * 2), DrawnLora.Change(layer), 1e-6, "the sum");
    }

    [Fact]
    public void Of_EqualFactors_KeepsEveryBitAndTheFactor()
    {
        LoraContent one = DrawnLora.Layer(LoraVariant.Lora, 3), two = DrawnLora.Layer(LoraVariant.Lora, 2, alpha: 4, seed: 2);
        using var merged = LoraMerge.Of([(LoraContents.Of([one]), 1), (LoraContents.Of([two]), 1)]);
        var layer = merged.Layers[0];
        Assert.Equal((2d, 10d), (layer.Factor, layer.Alpha));
        Assert.True(layer[LoraParts.A]!.eq(cat([one[LoraParts.A]!, two[LoraParts.A]!])).all().item<bool>());
        Assert.True(layer[LoraParts.B]!.eq(cat([one[LoraParts.B]!, two[LoraParts.B]!], 1)).all().item<bool>());
    }

    [Fact]
    public void Of_Biases_AreSummedWithTheirFactors()
    {
        var one = DrawnLora.Layer(LoraVariant.Lora, 3, withBias: true);
        var two = DrawnLora.Layer(LoraVariant.Lora, 2, alpha: 1, seed: 2, withBias: true);
        using var merged = LoraMerge.Of([(LoraContents.Of([one]), 1), (LoraContents.Of([two]), 3)]);
        var layer = merged.Layers[0];
        GoldenAssert.Close(
            (one[LoraParts.Bias]! * 2) + (two[LoraParts.Bias]! * 1.5), layer[LoraParts.Bias]! * layer.Factor, 1e-6, "bias");
    }

    [Fact]
    public void Of_LayersOfOneAlone_KeepVariantAndTakeTheWeight()
    {
        var dora = DrawnLora.Layer(LoraVariant.Dora);
        var lokr = DrawnLora.Layer(LoraVariant.Lokr, 1, path: "transformer_blocks.1.attn.to_k");
        using var merged = LoraMerge.Of([(LoraContents.Of([dora]), 0.5), (LoraContents.Of([lokr]), 2), (LoraContents.Of([dora]), 0)]);
        Assert.Equal([LoraVariant.Dora, LoraVariant.Lokr], merged.Layers.Select(layer => layer.Variant));
        Assert.Equal([dora.Factor / 2, lokr.Factor * 2], merged.Layers.Select(layer => layer.Factor));
    }

    [Fact]
    public void Of_WhatHasNoSum_IsRefused()
    {
        LoraContent dora = DrawnLora.Layer(LoraVariant.Dora), plain = DrawnLora.Layer(LoraVariant.Lora);
        Refused("the magnitudes are those of the model's weight", (LoraContents.Of([dora]), 1), (LoraContents.Of([plain]), 1));
        var wider = plain with { Tensors = [cat([plain.Tensors[0], plain.Tensors[0]], 1), plain.Tensors[1]] };
        Refused("8 → 12 in one LoRA and 16 → 12 in another", (LoraContents.Of([plain]), 1), (LoraContents.Of([wider]), 1));
        Refused("there is nothing to write", (LoraContents.Of([plain]), 0));
    }

    private static void Refused(string message, params (LoraContents, double)[] loras) =>
        Assert.Contains(message, Assert.Throws<LabException>(() => LoraMerge.Of(loras)).Message, StringComparison.Ordinal);
}
