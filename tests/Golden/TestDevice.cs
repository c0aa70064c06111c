using Dreambooth.Lab.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Golden;

/// <summary>
/// Where parity tests compute: the device that <c>LAB_TEST_DEVICE</c> names, else the CPU. On a GPU products stay in full float32 (TF32
/// off), so that tolerances need not change. Expected values stay on the CPU.
/// </summary>
internal static class TestDevice
{
    /// <summary>The device.</summary>
    public static Device Device { get; } = Find();

    /// <summary>
    /// Whether training steps are recorded and replayed (<c>LAB_TEST_CUDA_GRAPH=1</c>); a test fails then where they are not.
    /// </summary>
    public static bool RecordsSteps { get; } = Environment.GetEnvironmentVariable("LAB_TEST_CUDA_GRAPH") == "1";

    /// <summary>The tensor on the device.</summary>
    public static Tensor Here(this Tensor tensor) => tensor.to(Device);

    private static Device Find()
    {
        TorchLibraries.EnsureLoaded();
        var device = DeviceSelection.Parse(Environment.GetEnvironmentVariable("LAB_TEST_DEVICE") is { Length: > 0 } name ? name : "cpu");
        if (device.type == DeviceType.CUDA)
            backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = false;
        return device;
    }
}
