using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native.Cuda;

/// <summary>
/// A CUDA stream that work is captured on, and the memory that its graph uses. Libtorch caches freed memory by stream: what captured work
/// has used and freed counts as free for other work on this stream, and is given back to the device when memory runs short.
/// </summary>
/// <remarks>
/// <see cref="HoldMemory"/> takes that memory as tensors, a piece of each of libtorch's segments at least, which keeps the whole segment
/// (settings of its allocator that split segments otherwise, such as <c>expandable_segments</c>, leave the ends unheld). A released stream
/// serves the next capture, which finds its memory and the libraries' workspaces there: the number of streams does not grow with that of
/// graphs.
/// </remarks>
internal sealed class RecordingStream : IDisposable
{
    private const int NonBlocking = 1; // cudaStreamNonBlocking

    // Libtorch takes memory for blocks of up to 1 MiB in segments of 2 MiB, for larger ones in segments of 10 MiB and more.
    private const long SmallPiece = 1L << 20;
    private const long LargePiece = 8L << 20;

    // What must be left of the device beside a graph: what other work allocates in a step, and some for libraries.
    private const long Room = 256L << 20;

    // Where less is free before, it may lie in libtorch's cache.
    private const long Ample = 4L << 30;

    private static readonly ConcurrentDictionary<int, ConcurrentBag<nint>> Idle = [];

    private readonly Device _device;
    private readonly List<Tensor> _held = [];

    private RecordingStream(nint handle, Device device, int index) => (Handle, _device, Index) = (handle, device, index);

    /// <summary>Number of the GPU that it belongs to.</summary>
    public int Index { get; }

    /// <summary>CUDA's handle.</summary>
    public nint Handle { get; }

    /// <summary>A stream that no graph uses, a new one where there is none.</summary>
    /// <param name="device">A CUDA device.</param>
    /// <exception cref="LabException">CUDA refuses.</exception>
    public static RecordingStream Take(Device device)
    {
        var index = GpuMemory.IndexOf(device)!.Value;
        if (Idle.TryGetValue(index, out var idle) && idle.TryTake(out var handle))
            return new RecordingStream(handle, device, index);
        CudaDriver.MakeCurrent(index);
        CudaGraph.Check(CudaRuntime.StreamCreate(out handle, NonBlocking), "cudaStreamCreateWithFlags");
        return new RecordingStream(handle, device, index);
    }

    /// <summary>Makes it libtorch's current stream until the result is disposed.</summary>
    public IDisposable Enter()
    {
        CudaDriver.MakeCurrent(Index);
        CudaGraph.Check(CreateStreamGuard(Handle, Index, out var guard), "aoti_torch_create_cuda_stream_guard");
        return new Guard(guard);
    }

    /// <summary>
    /// Gives libtorch's cached memory back to the device if little is free, before anything is captured; to be called while it is
    /// libtorch's current one.
    /// </summary>
    public void MakeRoom()
    {
        if (FreeMemory() < Ample)
            CachedMemory.Release(_device);
    }

    /// <summary>Waits for the work on it.</summary>
    public void Wait() => CudaGraph.Check(CudaRuntime.StreamSynchronize(Handle), "cudaStreamSynchronize");

    /// <summary>Holds the stream's cached memory until it is released; to be called while it is libtorch's current one.</summary>
    /// <exception cref="LabException">So little of the device is free that other work could not go on.</exception>
    public void HoldMemory()
    {
        // The CUDA runtime's own pool gives a graph memory of its own.
        if (CudaPool.IsAskedFor())
            return;
        Hold(SmallPiece);
        Hold(LargePiece);
    }

    /// <summary>Releases the memory and the stream; the next capture reuses both.</summary>
    public void Dispose()
    {
        FreeHeld();
        Idle.GetOrAdd(Index, _ => []).Add(Handle);
    }

    /// <summary>Releases the memory and frees the stream, on which something has failed.</summary>
    public void Destroy()
    {
        FreeHeld();
        _ = CudaRuntime.StreamDestroy(Handle);
    }

    // When the device's free memory shrinks, nothing of this size was left in the cache.
    private void Hold(long piece)
    {
        var free = FreeMemory();
        if (free < Room)
            throw new LabException($"Only {ByteSize.Text(free)} of the device's memory are left beside the captured graph.");
        while (true)
        {
            var taken = empty(piece, ScalarType.Byte, _device).DetachFromDisposeScope();
            var left = FreeMemory();
            if (free - left >= piece)
            {
                taken.Dispose();
                return;
            }

            _held.Add(taken);
            free = left;
        }
    }

    private void FreeHeld()
    {
        _held.ForEach(tensor => tensor.Dispose());
        _held.Clear();
    }

    private long FreeMemory()
    {
        CudaDriver.MakeCurrent(Index);
        CudaGraph.Check(CudaRuntime.MemGetInfo(out var free, out _), "cudaMemGetInfo");
        return (long)free;
    }

    private sealed class Guard(nint handle) : IDisposable
    {
        public void Dispose() => _ = DeleteStreamGuard(handle);
    }

#pragma warning disable SYSLIB1054, CA5392 // plain P/Invoke into a library that libtorch has loaded
    [DllImport("libtorch_cuda.so", EntryPoint = "aoti_torch_create_cuda_stream_guard")]
    private static extern int CreateStreamGuard(nint stream, int device, out nint guard);

    [DllImport("libtorch_cuda.so", EntryPoint = "aoti_torch_delete_cuda_stream_guard")]
    private static extern int DeleteStreamGuard(nint guard);
#pragma warning restore SYSLIB1054, CA5392
}
