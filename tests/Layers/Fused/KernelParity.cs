using Dreambooth.Lab.Native.Cuda;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Layers.Fused;

/// <summary>
/// How the CUDA kernels are compared with the libtorch operations that they stand for. In float32 both agree to rounding; in half precision
/// the kernels, which round once, are as near to libtorch's float32 values as its own operations.
/// </summary>
internal static class KernelParity
{
    /// <summary>Skips the test without a CUDA device, and fails it where a source does not compile there.</summary>
    public static void Require(ScalarType dtype, string source, params ReadOnlySpan<(string Name, long Value)> constants)
    {
        Assert.SkipWhen(TestDevice.Device.type != TorchSharp.DeviceType.CUDA, "CUDA kernels need a CUDA device.");
        Assert.True(CudaKernels.Of(TestDevice.Device, source, dtype, constants) is not null, CudaKernels.Refusal);
    }

    /// <summary>Compares a kernel's result with libtorch's.</summary>
    /// <param name="dtype">What was computed in.</param>
    /// <param name="exact">By libtorch in float32.</param>
    /// <param name="libtorch">By libtorch in <paramref name="dtype"/>.</param>
    /// <param name="ours">By the kernel in <paramref name="dtype"/>.</param>
    /// <param name="what">Named in the failure.</param>
    public static void Agree(ScalarType dtype, Tensor exact, Tensor libtorch, Tensor ours, string what)
    {
        var limit = dtype == ScalarType.Float32
            ? 1e-5
            : Math.Max(1.1 * GoldenAssert.RelativeError(exact, libtorch), dtype == ScalarType.BFloat16 ? 3e-3 : 4e-4);
        GoldenAssert.Close(exact, ours, limit, what);
    }
}
