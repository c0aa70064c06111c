using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native.Cuda;

/// <summary>A point in a GPU's work that the processor can wait for.</summary>
internal sealed class CudaEvent : IDisposable
{
    private const uint WithoutTime = 2; // cudaEventDisableTiming

    private readonly int _device;
    private nint _handle;

    /// <summary>Creates an event that has happened already.</summary>
    /// <param name="device">A CUDA device.</param>
    /// <exception cref="Foundation.LabException">CUDA refuses.</exception>
    public CudaEvent(Device device)
    {
        _device = GpuMemory.IndexOf(device)!.Value;
        CudaDriver.MakeCurrent(_device);
        CudaRuntime.Check(Create(out _handle, WithoutTime), "cudaEventCreateWithFlags");
    }

    /// <summary>The event now happens behind what this thread has queued on libtorch's current stream.</summary>
    public void Record()
    {
        CudaDriver.MakeCurrent(_device);
        CudaRuntime.Check(Record(_handle, CudaDriver.CurrentStream(_device)), "cudaEventRecord");
    }

    /// <summary>Waits until it has happened; from any thread.</summary>
    public void Wait() => CudaRuntime.Check(Synchronize(_handle), "cudaEventSynchronize");

    /// <summary>Frees it.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _handle, 0) is not 0 and var handle)
            _ = Destroy(handle);
    }

#pragma warning disable SYSLIB1054, CA5392 // plain P/Invoke into libraries that libtorch has loaded
    [DllImport("cudart", EntryPoint = "cudaEventCreateWithFlags")]
    private static extern int Create(out nint handle, uint flags);

    [DllImport("cudart", EntryPoint = "cudaEventRecord")]
    private static extern int Record(nint handle, nint stream);

    [DllImport("cudart", EntryPoint = "cudaEventSynchronize")]
    private static extern int Synchronize(nint handle);

    [DllImport("cudart", EntryPoint = "cudaEventDestroy")]
    private static extern int Destroy(nint handle);
#pragma warning restore SYSLIB1054, CA5392
}
