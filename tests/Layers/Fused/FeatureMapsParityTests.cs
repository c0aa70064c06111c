using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Layers.Fused;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Layers.Fused;

/// <summary>The kernels of maps beside libtorch's operations.</summary>
[Trait("Category", "Parity")]
public sealed class FeatureMapsParityTests
{
    private const double Epsilon = 1e-6;

    private static readonly Device s_device = TestDevice.Device;

    [Theory]
    [InlineData(2, 128, 17, 9, 32, ScalarType.Float32)]
    [InlineData(2, 128, 17, 9, 32, ScalarType.BFloat16)]
    [InlineData(1, 512, 64, 64, 32, ScalarType.Float32)]
    [InlineData(1, 512, 64, 64, 32, ScalarType.BFloat16)]
    [InlineData(1, 128, 512, 512, 32, ScalarType.Float32)]
    [InlineData(1, 128, 512, 512, 32, ScalarType.BFloat16)]
    [InlineData(3, 256, 33, 65, 32, ScalarType.Float16)]
    [InlineData(2, 8, 5, 3, 4, ScalarType.Float32)]
    [InlineData(1, 2048, 3, 3, 8, ScalarType.Float32)]
    [InlineData(1, 2048, 3, 3, 1, ScalarType.Float32)]
    [InlineData(2, 96, 7, 5, 32, ScalarType.Float32)]
    public void GroupNorm_OfMapsThatLieChannelsLast_AgreesWithLibtorch(
        long rows, long channels, long height, long width, long groups, ScalarType dtype)
    {
        KernelParity.Require(dtype, "feature_maps");
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var norm = new GroupNorm(groups, channels, Epsilon, s_device, dtype);
        norm.Weight.copy_(randn(channels));
        norm.Bias!.copy_(randn(channels));
        var map = Map(2, rows, channels, height, width, dtype);
        var bias = randn(channels).to(dtype).to(s_device);
        Assert.Equal(FeatureMapKernels.Fit(channels), FeatureMapKernels.For(map) is not null);

        KernelParity.Agree(dtype, Plain(ScalarType.Float32, null, false), Plain(dtype, null, false), norm.call(map), "norm");
        KernelParity.Agree(dtype, Plain(ScalarType.Float32, null, true), Plain(dtype, null, true), norm.Activated(map), "norm and SiLU");
        var own = ChannelsLast.Of(map).clone();
        KernelParity.Agree(
            dtype, Plain(ScalarType.Float32, bias, true), Plain(dtype, bias, true), norm.ConsumeActivated(own, bias),
            "norm of the map and a bias, and SiLU");

        Tensor Plain(ScalarType type, Tensor? added, bool activate)
        {
            var input = map.to(type).contiguous();
            if (added is not null)
                input = input + added.to(type).view(1, -1, 1, 1);
            var output = nn.functional.group_norm(input, groups, norm.Weight.to(type), norm.Bias.to(type), Epsilon);
            return activate ? nn.functional.silu(output) : output;
        }
    }

    [Theory]
    [InlineData(2, 64, 17, 9, ScalarType.Float32)]
    [InlineData(1, 128, 256, 256, ScalarType.BFloat16)]
    [InlineData(2, 512, 31, 8, ScalarType.Float16)]
    public void JoinAndEnlarge_MapsThatLieChannelsLast_AgreeWithLibtorch(
        long rows, long channels, long height, long width, ScalarType dtype)
    {
        KernelParity.Require(dtype, "feature_maps");
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        Tensor map = Map(0, rows, channels, height, width, dtype), residual = Map(0, rows, channels, height, width, dtype);
        Tensor first = randn(channels).to(dtype).to(s_device), second = randn(channels).to(dtype).to(s_device);
        Assert.NotNull(FeatureMapKernels.For(map, residual, first, second));

        var enlarged = FeatureMaps.Enlarge(map);
        Assert.True(ChannelsLast.Is(enlarged));
        GoldenAssert.Exact(map.contiguous().repeat_interleave(2, 2).repeat_interleave(2, 3), enlarged);

        var exact = Sum(ScalarType.Float32);
        var chained = Sum(dtype);
        KernelParity.Agree(dtype, exact, chained, FeatureMaps.Join(map, residual, (first, second)), "sum");

        Tensor Sum(ScalarType type) =>
            map.to(type) + residual.to(type) + first.to(type).view(1, -1, 1, 1) + second.to(type).view(1, -1, 1, 1);
    }

    [Fact]
    public void WithoutBias_AConvolution_LacksItsBiasAlone()
    {
        KernelParity.Require(ScalarType.Float32, "feature_maps");
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var layer = new Conv2d(16, 32, 3, 1, 1, s_device, ScalarType.Float32);
        foreach (var parameter in layer.parameters())
            parameter.copy_(randn(parameter.shape));
        var map = Map(0, 2, 16, 9, 7, ScalarType.Float32);
        var expected = nn.functional.conv2d(map.contiguous(), layer.Weight.contiguous(), layer.Bias, padding: [1, 1]);

        var (output, missing) = layer.WithoutBias(map);

        Assert.True(ChannelsLast.Is(layer.Weight) && ChannelsLast.Is(output));
        FeatureMaps.Add(output, missing);
        GoldenAssert.Close(expected, output, 1e-5);
        using var gradients = enable_grad();
        Assert.Null(layer.WithoutBias(map.clone().requires_grad_(true)).Missing);
    }

    private static Tensor Map(double mean, long rows, long channels, long height, long width, ScalarType dtype) =>
        ChannelsLast.Of((randn(rows, channels, height, width) + mean).to(dtype).to(s_device));
}
