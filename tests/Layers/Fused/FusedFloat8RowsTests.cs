using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Layers.Fused;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Layers.Fused;

/// <summary>
/// The CUDA kernel that brings rows into 8-bit floating point, and libtorch's product of such rows, beside the plain functions.
/// </summary>
[Trait("Category", "Parity")]
public sealed class FusedFloat8RowsTests
{
    private static readonly Device s_device = TestDevice.Device;

    [Theory]
    [InlineData(2, 37, 1536, ScalarType.BFloat16)]
    [InlineData(2, 37, 6144, ScalarType.BFloat16)]
    [InlineData(1, 5, 9728, ScalarType.BFloat16)]
    [InlineData(3, 9, 2432, ScalarType.Float16)]
    [InlineData(1, 3, 48, ScalarType.Float32)]
    public void Of_Fused_HasTheCodesOfTheChain(long batch, long tokens, long width, ScalarType dtype)
    {
        Require(dtype, width);
        using var scope = NewDisposeScope();
        var input = randn(batch, tokens, width).mul(randn(batch, tokens, 1).exp()).to(dtype).Here();
        input[0, 1] = zeros(width, dtype: dtype, device: s_device);
        Same(Float8Rows.OfPlainly(input), Float8Rows.Of(input));
        // A part of a larger tensor, as attention's output of one stream.
        var part = input.narrow(1, 1, tokens - 1);
        Assert.NotNull(FusedFloat8Rows.Find(part, gelu: false));
        Same(Float8Rows.OfPlainly(part), Float8Rows.Of(part));
        var plain = Float8Rows.OfPlainly(input, gelu: true).Decode();
        GoldenAssert.Close(plain, Float8Rows.Of(input, gelu: true).Decode(), 3e-3, "with GELU");
    }

    [Theory]
    [InlineData(333, 1536, 6144, ScalarType.BFloat16)]
    [InlineData(77, 6144, 1536, ScalarType.BFloat16)]
    [InlineData(5, 48, 16, ScalarType.Float32)]
    public void Times_OnCuda_AgreesWithTheProductOfDecodedRows(long rows, long width, long outputs, ScalarType dtype)
    {
        Require(dtype, width);
        using var scope = NewDisposeScope();
        var (x, weight) = (Float8Rows.Of(randn(rows, width).to(dtype).Here()), Float8Rows.Of(randn(outputs, width).to(dtype).Here()));
        var bias = randn(outputs).to(dtype).Here();
        var exact = nn.functional.linear(x.Decode().to(float64), weight.Decode().to(float64), bias.to(float64));
        // What is rounded is the result, to bfloat16.
        GoldenAssert.Close(exact, x.Times(weight, bias, dtype), 3e-3, "the product");
        GoldenAssert.Close(exact - bias.to(float64), x.Times(weight, null, dtype), 3e-3, "the product without bias");
    }

    private static void Same(Float8Rows expected, Float8Rows actual)
    {
        Assert.Equal(Numbers(expected.Scales), Numbers(actual.Scales));
        Assert.Equal(Numbers(expected.Codes), Numbers(actual.Codes));
    }

    private static float[] Numbers(Tensor tensor) => tensor.to(ScalarType.Float32).cpu().data<float>().ToArray();

    private static void Require(ScalarType dtype, long width)
    {
        Assert.SkipWhen(s_device.type != TorchSharp.DeviceType.CUDA, "CUDA kernels need a CUDA device.");
        Assert.SkipWhen(Float8Rows.Refusal(s_device) is not null, "The GPU has no products in fp8.");
        KernelParity.Require(dtype, "float8_rows", ("WIDTH", width), ("GELU", 0), ("THREADS", 32));
    }
}
