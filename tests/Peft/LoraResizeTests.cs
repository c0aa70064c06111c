using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

public sealed class LoraResizeTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(LoraVariant.Lora, 6, 3)]
    [InlineData(LoraVariant.Loha, 2, 3)]
    [InlineData(LoraVariant.Loha, 3, 5)]
    [InlineData(LoraVariant.Lokr, 1, 2)]
    [InlineData(LoraVariant.Lokr, 8, 4)]
    public void Run_ARank_GivesTheNearestChangeAndItsError(LoraVariant variant, int before, int rank)
    {
        var layer = DrawnLora.Layer(variant, before, alpha: 5);
        var (resized, told) = Run(layer, new LoraRankChoice(rank, null));
        Assert.Equal((LoraVariant.Lora, rank), (resized.Variant, resized.Rank));
        Assert.Equal(resized.Alpha / rank, resized.Factor);
        Assert.Equal(layer.Factor, resized.Factor, 1e-12);
        var whole = DrawnLora.Change(layer);
        var left = linalg.svdvals(whole).narrow(0, rank, 8 - rank).norm().item<double>();
        var norm = whole.norm().item<double>();
        Assert.Equal(left, (DrawnLora.Change(resized) - whole).norm().item<double>(), 2e-6 * norm);
        Assert.Equal(left / norm, told.Error, 1e-6);
        Assert.Equal(norm, told.Norm, 1e-5 * norm);
    }

    [Fact]
    public void Run_AnEnergy_TakesTheSmallestRankThatKeepsIt()
    {
        var layer = DrawnLora.Layer(LoraVariant.Lora, 6);
        var squares = linalg.svdvals(DrawnLora.Change(layer)).square().data<double>().ToArray();
        foreach (var energy in new[] { 0.3, 0.8, 0.99, 1 })
        {
            var (resized, told) = Run(layer, new LoraRankChoice(null, energy));
            // Of eight values, two are zero but for rounding.
            Assert.Equal(energy == 1 ? 6 : Enumerable.Range(1, 8).First(k => squares[..k].Sum() >= energy * squares.Sum()), resized.Rank);
            Assert.True(told.Error <= Math.Sqrt(1 - energy));
        }

        Assert.Equal(2, Run(layer, new LoraRankChoice(2, 0.999)).Resized.Rank);
    }

    [Fact]
    public void Run_ARankThatIsThere_KeepsEveryBit()
    {
        var layer = DrawnLora.Layer(LoraVariant.Dora, 3);
        var (resized, told) = Run(layer, new LoraRankChoice(3, 1));
        Assert.Equal((3, 0d), (told.Rank, told.Error));
        Assert.Equal((layer.Alpha, layer.Factor), (resized.Alpha, resized.Factor));
        foreach (var (one, two) in layer.Tensors.Zip(resized.Tensors))
            Assert.True(one.eq(two).all().item<bool>());
    }

    [Fact]
    public void Run_Dora_KeepsMagnitudesAndBiasesStay()
    {
        var dora = DrawnLora.Layer(LoraVariant.Dora, 3);
        var resized = Run(dora, new LoraRankChoice(1, null)).Resized;
        Assert.Equal(LoraVariant.Dora, resized.Variant);
        Assert.True(resized[LoraParts.Magnitude]!.eq(dora[LoraParts.Magnitude]!).all().item<bool>());
        var biased = DrawnLora.Layer(LoraVariant.Lora, 3, withBias: true);
        resized = Run(biased, new LoraRankChoice(1, null)).Resized;
        Assert.True(resized[LoraParts.Bias]!.eq(biased[LoraParts.Bias]!).all().item<bool>());
        Assert.Equal(biased.Factor, resized.Factor);
    }

    [Fact]
    public void Run_RankStabilised_StaysSoWithTheSameFactor()
    {
        var plain = DrawnLora.Layer(LoraVariant.Lora, 4, alpha: 6);
        var layer = plain with { Factor = 6 / Math.Sqrt(4) };
        var resized = Run(layer, new LoraRankChoice(2, null)).Resized;
        Assert.Equal(layer.Factor, resized.Factor, 1e-12);
        Assert.Equal(resized.Alpha / Math.Sqrt(2), resized.Factor);
    }

    [Fact]
    public void Run_ZerosAndAFactorOfZero_StayNothing()
    {
        var layer = DrawnLora.Layer(LoraVariant.Lora);
        var zeros = layer with { Tensors = [layer.Tensors[0], zeros_like(layer.Tensors[1])] };
        var (resized, told) = Run(zeros, new LoraRankChoice(null, 0.5));
        Assert.Equal((1, 0d, 0d), (told.Rank, told.Error, told.Norm));
        Assert.Equal(0, DrawnLora.Change(resized).norm().item<double>());
        Assert.Equal(0, Run(layer with { Alpha = 0, Factor = 0 }, new LoraRankChoice(1, null)).Told.Norm);
    }

    [Theory]
    [InlineData(null, null, "Neither --rank nor --energy is given")]
    [InlineData(0, null, "--rank is 0")]
    [InlineData(1, 0.0, "--energy is 0")]
    [InlineData(1, double.NaN, "--energy is NaN")]
    [InlineData(null, 1.5, "--energy is 1.5")]
    public void Validate_WhatCannotBe_IsRefused(int? rank, double? energy, string message) => Assert.Contains(
        message, Assert.Throws<UsageException>(new LoraRankChoice(rank, energy).Validate).Message, StringComparison.Ordinal);

    private static (LoraContent Resized, LoraResizedLayer Told) Run(LoraContent layer, LoraRankChoice choice)
    {
        var (contents, layers) = LoraResize.Run(LoraContents.Of([layer]), choice, CancellationToken.None);
        return (contents.Layers[0], layers[0]);
    }
}
