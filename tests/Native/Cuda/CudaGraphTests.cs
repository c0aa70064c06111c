using System.Runtime.InteropServices;
using Dreambooth.Lab.Native.Cuda;
using Dreambooth.Lab.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Native.Cuda;

public class CudaGraphTests
{
    [Fact]
    public void RecorderOf_TheCpu_IsNone() => Assert.Null(CudaGraph.RecorderOf(CPU));

    [Fact]
    public void Capture_OnTheCpu_IsRefusedWithTheDevice()
    {
        var error = Assert.Throws<ArgumentException>(() => CudaGraph.Capture(CPU, () => { }));
        Assert.Contains("cpu", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void IsLaunchBound_TheCpu_RunsTheWorkOnceAndCountsAsWaiting()
    {
        var runs = 0;
        Assert.True(CudaGraph.IsLaunchBound(CPU, () => runs++));
        Assert.Equal(1, runs);
    }

    [Fact]
    [Trait("Category", "Parity")]
    public void Launch_AfterMemoryRanShort_ComputesInItsOwnMemory()
    {
        var device = TestDevice.Device;
        Assert.SkipUnless(device.type == DeviceType.CUDA, "Recordings are for CUDA devices.");
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        Tensor input = randn(
            [4096, 4096], device: device), large = zeros([4096, 4096], device: device), small = zeros([64], device: device);
        void Work()
        {
            using var inner = NewDisposeScope();
            large.copy_(matmul(input, input).tanh() + (input * 2).square());
            small.copy_((input.narrow(0, 0, 64).narrow(1, 0, 64) * 3).cos().sum(1));
        }

        using var first = CudaGraph.Capture(device, Work);
        using (CudaGraph.Capture(device, Work))
        {
        }

        // Libtorch gives back all that it may before it refuses; others then compute where it was.
        Assert.ThrowsAny<ExternalException>(() => empty(1L << 46, ScalarType.Byte, device));
        var others = Enumerable.Range(0, 64)
            .SelectMany(_ => new[] { full([4096, 4096], float.NaN, device: device), full([64, 64], float.NaN, device: device) }).ToArray();
        input.neg_().mul_(0.5);
        first.Launch();
        var recorded = (large.clone(), small.clone());
        Work();
        GoldenAssert.Close(large.cpu(), recorded.Item1.cpu(), 1e-5);
        GoldenAssert.Close(small.cpu(), recorded.Item2.cpu(), 1e-5);
        Assert.All(others, other => Assert.True(other.isnan().all().item<bool>()));
    }
}
