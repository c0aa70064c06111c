using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native.Cuda;

/// <summary>
/// The CUDA runtime's own pool of a device, with its counters: what is handed out to tensors and what is reserved, now and at most.
/// libtorch allocates from it when the environment says so before the process starts (<see cref="Setting"/>); its usual allocator keeps
/// counters too, but only C++ and Python can ask for them (no function with a C interface gives them, and the C++ object's layout is no
/// public matter). What tensors hold is the same with either; what is reserved beyond it, and the time of an allocation, are not.
/// </summary>
internal sealed unsafe class CudaPool
{
    /// <summary>The setting of libtorch's allocator that makes it use this pool.</summary>
    public const string Setting = "PYTORCH_CUDA_ALLOC_CONF=backend:cudaMallocAsync";

    private const long ProbeBytes = 64 << 20;

    // cudaMemPoolAttr of CUDA's driver_types.h.
    private const int ReservedHigh = 6;
    private const int UsedNow = 7;
    private const int UsedHigh = 8;

    private readonly nint _pool;
    private readonly delegate* unmanaged[Cdecl]<nint, int, ulong*, int> _get;
    private readonly delegate* unmanaged[Cdecl]<nint, int, ulong*, int> _set;
    private readonly delegate* unmanaged[Cdecl]<nint, nuint, int> _trim;

    private CudaPool(nint library, int device)
    {
        nint pool;
        var find = (delegate* unmanaged[Cdecl]<nint*, int, int>)NativeLibrary.GetExport(library, "cudaDeviceGetDefaultMemPool");
        CudaRuntime.Check(find(&pool, device), "cudaDeviceGetDefaultMemPool");
        _pool = pool;
        _get = (delegate* unmanaged[Cdecl]<nint, int, ulong*, int>)NativeLibrary.GetExport(library, "cudaMemPoolGetAttribute");
        _set = (delegate* unmanaged[Cdecl]<nint, int, ulong*, int>)NativeLibrary.GetExport(library, "cudaMemPoolSetAttribute");
        _trim = (delegate* unmanaged[Cdecl]<nint, nuint, int>)NativeLibrary.GetExport(library, "cudaMemPoolTrimTo");
    }

    /// <summary>Bytes that tensors hold.</summary>
    public long Used => Read(UsedNow);

    /// <summary>The most bytes that tensors held since <see cref="ResetPeaks"/>.</summary>
    public long UsedPeak => Read(UsedHigh);

    /// <summary>The most bytes that the pool had taken from the device since <see cref="ResetPeaks"/>.</summary>
    public long ReservedPeak => Read(ReservedHigh);

    /// <summary>
    /// The pool of a device if libtorch allocates from it. This is tested: a tensor is allocated, and its size must appear in the counters.
    /// </summary>
    /// <param name="device">Any device.</param>
    /// <returns>Null on another device than CUDA, or where libtorch has its usual allocator.</returns>
    public static CudaPool? Of(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (GpuMemory.IndexOf(device) is not { } index || !IsAskedFor() || CudaRuntime.Load() is not { } library)
            return null;
        try
        {
            var pool = new CudaPool(library, index);
            using var first = empty(1, ScalarType.Byte, device);
            var before = pool.Used;
            using var probe = empty(ProbeBytes, ScalarType.Byte, device);
            return pool.Used - before is >= ProbeBytes and < ProbeBytes * 2 ? pool : null;
        }
        catch (Exception error) when (error is LabException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Resets the peaks to what is held now.</summary>
    public void ResetPeaks()
    {
        ulong zero = 0;
        CudaRuntime.Check(_set(_pool, UsedHigh, &zero), "cudaMemPoolSetAttribute");
        CudaRuntime.Check(_set(_pool, ReservedHigh, &zero), "cudaMemPoolSetAttribute");
    }

    /// <summary>Returns reserved, unused memory to the device; synchronize the device before.</summary>
    public void Trim() => CudaRuntime.Check(_trim(_pool, 0), "cudaMemPoolTrimTo");

    private long Read(int attribute)
    {
        ulong value;
        CudaRuntime.Check(_get(_pool, attribute, &value), "cudaMemPoolGetAttribute");
        return (long)value;
    }

    /// <summary>Whether the environment asks libtorch to allocate from the pool.</summary>
    internal static bool IsAskedFor() => Array.Exists(
        ["PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF"],
        name => Environment.GetEnvironmentVariable(name)?.Contains("cudaMallocAsync", StringComparison.Ordinal) == true);
}
