using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Layers.Fused;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Layers;

public sealed class FeatureMapsTests
{
    public FeatureMapsTests() => TorchLibraries.EnsureLoaded();

    [Theory]
    [InlineData(2, 3, 4, 5)]
    [InlineData(1, 8, 1, 7)]
    [InlineData(3, 16, 2, 2)]
    public void ChannelsLast_Of_HasTheLayoutAndTheValues(long rows, long channels, long height, long width)
    {
        using var scope = NewDisposeScope();
        var map = randn(rows, channels, height, width);
        var laidOut = ChannelsLast.Of(map);
        Assert.False(ChannelsLast.Is(map));
        Assert.True(ChannelsLast.Is(laidOut));
        Assert.True(ChannelsLast.Is(ChannelsLast.Empty(map.shape, map)));
        Assert.Equal(laidOut.stride(), ChannelsLast.Empty(map.shape, map).stride());
        Assert.False(ChannelsLast.Is(laidOut.narrow(1, 0, channels - 1)));
        GoldenAssert.Exact(map, laidOut);
    }

    [Fact]
    public void ChannelsLast_OfAKernelOfOnePixel_IsBothLayouts()
    {
        using var scope = NewDisposeScope();
        Assert.True(ChannelsLast.Is(randn(8, 4, 1, 1)));
        Assert.False(ChannelsLast.Is(randn(8, 4)));
    }

    [Fact]
    public void Arrange_AConvolution_ComputesTheSameInTheOtherLayout()
    {
        using var scope = NewDisposeScope();
        using var layer = Filled(new Conv2d(8, 16, 3, 1, 1, CPU, ScalarType.Float32));
        var map = randn(2, 8, 5, 7);
        var (plain, weight) = (layer.call(map), layer.Weight.clone());
        layer.Arrange();
        Assert.True(ChannelsLast.Is(layer.Weight));
        GoldenAssert.Exact(weight, layer.Weight);
        Assert.Same(layer.Weight, layer.named_parameters().Single(entry => entry.name == "weight").parameter);
        var (output, missing) = layer.WithoutBias(ChannelsLast.Of(map));
        Assert.Null(missing);
        GoldenAssert.Close(plain, output, 1e-6);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ConsumeActivated_OfAMapThatLacksABias_IsTheNormOfTheSum(bool channelsLast)
    {
        using var scope = NewDisposeScope();
        using var norm = Filled(new GroupNorm(4, 16, 1e-6, CPU, ScalarType.Float32));
        Tensor map = randn(2, 16, 5, 7), bias = randn(16);
        var expected = nn.functional.silu(nn.functional.group_norm(map + bias.view(1, -1, 1, 1), 4, norm.Weight, norm.Bias, 1e-6));
        var own = channelsLast ? ChannelsLast.Of(map) : map.clone();
        GoldenAssert.Close(expected, norm.ConsumeActivated(own, bias), 1e-6);
        GoldenAssert.Exact(nn.functional.silu(norm.call(map)), norm.Activated(map));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Join_WithMissingBiases_IsTheSum(bool channelsLast)
    {
        using var scope = NewDisposeScope();
        Tensor map = randn(2, 8, 3, 4), residual = randn(2, 8, 3, 4), first = randn(8), second = randn(8);
        var own = channelsLast ? ChannelsLast.Of(map) : map.clone();
        Assert.Same(own, FeatureMaps.Join(own, residual, (first, second)));
        GoldenAssert.Close(map + residual + (first + second).view(1, -1, 1, 1), own, 1e-6);
        GoldenAssert.Exact(map + residual, FeatureMaps.Join(map.clone(), residual, (null, null)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Enlarge_AMap_RepeatsEveryPixel(bool channelsLast)
    {
        using var scope = NewDisposeScope();
        var map = randn(2, 8, 3, 5);
        GoldenAssert.Exact(
            map.repeat_interleave(2, 2).repeat_interleave(2, 3), FeatureMaps.Enlarge(channelsLast ? ChannelsLast.Of(map) : map));
    }

    private static T Filled<T>(T layer)
        where T : WeightedLayer
    {
        foreach (var (_, owner, name, value) in StateDictLoader.Owners(layer).ToList())
            owner.Assign(name, SeededNoise.Normal(value.shape, 1));
        return layer;
    }
}
