using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Golden;

/// <summary>Compares results with golden tensors.</summary>
public static class GoldenAssert
{
    /// <summary>
    /// ‖actual − expected‖ / ‖expected‖ in float64; the plain norm of the difference where the expected values are all 0.
    /// </summary>
    public static double RelativeError(Tensor expected, Tensor actual)
    {
        using var scope = NewDisposeScope();
        return RelativeError([(expected, actual)]);
    }

    /// <summary>The relative error over several tensors together, as if they were one.</summary>
    public static double RelativeError(IEnumerable<(Tensor Expected, Tensor Actual)> pairs)
    {
        using var scope = NewDisposeScope();
        double difference = 0, norm = 0;
        foreach (var (expected, actual) in pairs)
        {
            Assert.Equal(expected.shape, actual.shape);
            var wanted = expected.detach().to(ScalarType.Float64, CPU);
            var got = actual.detach().to(ScalarType.Float64, CPU);
            difference += (got - wanted).square().sum().item<double>();
            norm += wanted.square().sum().item<double>();
        }

        return norm > 0 ? Math.Sqrt(difference / norm) : Math.Sqrt(difference);
    }

    /// <summary>Fails when shapes differ, a value is not finite, or the relative error is above <paramref name="tolerance"/>.</summary>
    /// <param name="expected">The golden tensor.</param>
    /// <param name="actual">The result; any device and floating-point type.</param>
    /// <param name="tolerance">The largest allowed relative error.</param>
    /// <param name="what">Named in the failure.</param>
    public static void Close(Tensor expected, Tensor actual, double tolerance, string what = "result")
    {
        var error = RelativeError(expected, actual);
        Assert.True(error <= tolerance, $"{what}: relative error {error:g3}, allowed {tolerance:g3}");
    }

    /// <summary>As <see cref="Close(Tensor, Tensor, double, string)"/>, over several tensors together.</summary>
    public static void Close(IEnumerable<(Tensor Expected, Tensor Actual)> pairs, double tolerance, string what = "result")
    {
        var error = RelativeError(pairs);
        Assert.True(error <= tolerance, $"{what}: relative error {error:g3}, allowed {tolerance:g3}");
    }

    /// <summary>Fails unless type, shape and every bit are equal.</summary>
    public static void Exact(Tensor expected, Tensor actual, string what = "result")
    {
        using var scope = NewDisposeScope();
        Assert.Equal(expected.dtype, actual.dtype);
        Assert.Equal(expected.shape, actual.shape);
        var wanted = expected.detach().cpu().contiguous();
        var got = actual.detach().cpu().contiguous();
        if (wanted.numel() == 0 || wanted.bytes.SequenceEqual(got.bytes))
            return;
        var largest = (wanted.to(ScalarType.Float64) - got.to(ScalarType.Float64)).abs().max().item<double>();
        Assert.Fail($"{what}: not bit-identical; largest difference {largest:g3}");
    }
}
