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
        CudaRuntime.Check(CudaRuntime.EventCreate(out _handle, WithoutTime), "cudaEventCreateWithFlags");
    }

    /// <summary>The event now happens behind what this thread has queued on libtorch's current stream.</summary>
    public void Record()
    {
        CudaDriver.MakeCurrent(_device);
        CudaRuntime.Check(CudaRuntime.EventRecord(_handle, CudaDriver.CurrentStream(_device)), "cudaEventRecord");
    }

    /// <summary>Waits until it has happened; from any thread.</summary>
    public void Wait() => CudaRuntime.Check(CudaRuntime.EventSynchronize(_handle), "cudaEventSynchronize");

    /// <summary>Frees it.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _handle, 0) is not 0 and var handle)
            _ = CudaRuntime.EventDestroy(handle);
    }
}
