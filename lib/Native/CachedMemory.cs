using System.Runtime.InteropServices;
using Dreambooth.Lab.Native.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native;

/// <summary>Device memory that libtorch caches for later tensors.</summary>
internal static class CachedMemory
{
    // More than any device has: libtorch gives back its cache before it fails.
    private const long Impossible = 1L << 46;

    /// <summary>
    /// Gives the cached memory of a CUDA device back, so that the next measurement begins where the first did. TorchSharp has no call for
    /// it; a request that cannot be met has the same effect. Does nothing while a <see cref="CudaGraph"/> exists: the memory of graphs must
    /// not be freed.
    /// </summary>
    /// <param name="device">Any device; only CUDA devices cache.</param>
    public static void Release(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.type != DeviceType.CUDA || CudaGraph.AnyLives)
            return;
        cuda.synchronize(device);
        if (CudaPool.Of(device) is { } pool)
        {
            pool.Trim();
            return;
        }

        try
        {
            using var never = empty(Impossible, ScalarType.Byte, device);
        }
        catch (ExternalException)
        {
        }
    }
}
