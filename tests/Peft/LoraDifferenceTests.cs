using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

public sealed class LoraDifferenceTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(LoraVariant.Lora, LoraVariant.Lora)]
    [InlineData(LoraVariant.Lora, LoraVariant.Loha)]
    [InlineData(LoraVariant.Loha, LoraVariant.Loha)]
    [InlineData(LoraVariant.Lokr, LoraVariant.Lora)]
    [InlineData(LoraVariant.Lokr, LoraVariant.Lokr)]
    public void Of_TwoUpdates_IsThatOfTheWholeMatrices(LoraVariant first, LoraVariant second)
    {
        LoraContent one = DrawnLora.Layer(first, rank: 2), two = DrawnLora.Layer(second, rank: 1, alpha: 3, seed: 2);
        Tensor a = DrawnLora.Change(one), b = DrawnLora.Change(two);
        var difference = LoraLayerDifference.Of(one, two);
        var (normA, normB) = (a.norm().item<double>(), b.norm().item<double>());
        Assert.Equal(normA, difference.FirstNorm, 1e-5 * normA);
        Assert.Equal(normB, difference.SecondNorm, 1e-5 * normB);
        Assert.Equal((a - b).norm().item<double>(), difference.Norm, 1e-5 * difference.Norm);
        Assert.Equal((a * b).sum().item<double>() / normA / normB, difference.Cosine!.Value, 1e-6);
        Assert.Equal(difference.Norm / Math.Max(normA, normB), difference.Relative, 1e-6);
    }

    [Fact]
    public void Of_TheSameChangeByOtherMatrices_IsNoDifference()
    {
        var one = DrawnLora.Layer(LoraVariant.Lora);
        var turned = one with { Tensors = [one.Tensors[0].flip(0) * 4, one.Tensors[1].flip(1) / 4] };
        var difference = LoraLayerDifference.Of(one, turned);
        Assert.True(difference.Relative < 1e-14, $"{difference.Relative}");
        Assert.Equal(1, difference.Cosine!.Value, 1e-12);
        Assert.Equal(0, LoraLayerDifference.Of(one, one with { Alpha = 5 }).Relative);
    }

    [Fact]
    public void Of_AnUpdateOfZeros_HasNoCosineAndDiffersWhole()
    {
        var one = DrawnLora.Layer(LoraVariant.Lora);
        var nothing = one with { Tensors = [one.Tensors[0], zeros_like(one.Tensors[1])] };
        var difference = LoraLayerDifference.Of(one, nothing);
        Assert.Null(difference.Cosine);
        Assert.Equal(1, difference.Relative, 1e-12);
        Assert.Equal(0, LoraLayerDifference.Of(nothing, nothing).Relative);
    }

    [Fact]
    public void Of_MagnitudesAndBiases_AreToldApart()
    {
        var dora = DrawnLora.Layer(LoraVariant.Dora);
        var louder = dora with { Tensors = [dora.Tensors[0], dora.Tensors[1], dora.Tensors[2] * 2] };
        Assert.Equal((0, 0.5), (LoraLayerDifference.Of(dora, louder).Relative, LoraLayerDifference.Of(dora, louder).Rest));
        Assert.Equal(1, LoraLayerDifference.Of(dora, DrawnLora.Layer(LoraVariant.Lora)).Rest);
        // A bias is multiplied by the factor too: half the bias at twice the alpha is the same.
        var biased = DrawnLora.Layer(LoraVariant.Lora, withBias: true);
        var same = biased with { Alpha = 12, Factor = 4, Tensors = [biased.Tensors[0] / 2, biased.Tensors[1], biased.Tensors[2] / 2] };
        Assert.Equal((0, 0), (Math.Round(LoraLayerDifference.Of(biased, same).Relative, 12), LoraLayerDifference.Of(biased, same).Rest));
    }

    [Fact]
    public void Between_LayersOfOneAlone_CountWhole()
    {
        var shared = DrawnLora.Layer(LoraVariant.Lora);
        var alone = DrawnLora.Layer(LoraVariant.Lora, seed: 5, path: "transformer_blocks.1.attn.to_k");
        using var one = LoraContents.Of([shared, alone]);
        using var two = LoraContents.Of([shared]);
        var difference = LoraDifference.Between(one, two, CancellationToken.None);
        Assert.Equal([alone.Key], difference.OnlyFirst);
        Assert.Empty(difference.OnlySecond);
        Assert.False(difference.IsWithin(2));
        double a = DrawnLora.Change(shared).norm().item<double>(), b = DrawnLora.Change(alone).norm().item<double>();
        Assert.Equal(b / Math.Sqrt((a * a) + (b * b)), difference.Relative, 1e-6);
        Assert.Equal(a / Math.Sqrt((a * a) + (b * b)), difference.Cosine!.Value, 1e-6);
    }

    [Fact]
    public void Between_OtherSizes_IsRefused()
    {
        var layer = DrawnLora.Layer(LoraVariant.Lora);
        var wider = layer with { Tensors = [cat([layer.Tensors[0], layer.Tensors[0]], 1), layer.Tensors[1]] };
        using var one = LoraContents.Of([layer]);
        using var two = LoraContents.Of([wider]);
        var error = Assert.Throws<LabException>(() => LoraDifference.Between(one, two, CancellationToken.None));
        Assert.Contains("is 8 → 12 in the first and 16 → 12 in the second", error.Message, StringComparison.Ordinal);
    }
}
