using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native.Cuda;

/// <summary>
/// Sums over the GPUs of several processes by NCCL, one process per GPU; the work is queued on libtorch's current stream.
/// </summary>
internal sealed unsafe class NcclCommunicator : IDisposable
{
    private const int Float32 = 7; // ncclFloat32
    private const int Sum = 0; // ncclSum

    private static readonly TimeSpan OneCall = TimeSpan.FromSeconds(5);

    private readonly nint _handle;
    private readonly Lock _calls = new(); // Ending frees the handle.
    private int _aborted;

    private NcclCommunicator(nint handle) => _handle = handle;

    /// <summary>A new group's identifier, which every process needs; created by one of them.</summary>
    public static byte[] CreateId()
    {
        UniqueId id;
        CudaRuntime.Check(GetUniqueId(&id), "ncclGetUniqueId");
        return new ReadOnlySpan<byte>(id.Bytes, UniqueId.Size).ToArray();
    }

    /// <summary>Waits until all processes have joined.</summary>
    /// <param name="id">The meeting's number.</param>
    /// <param name="ranks">How many processes.</param>
    /// <param name="rank">Which of them this is, from 0.</param>
    /// <exception cref="LabException">NCCL refuses.</exception>
    public static NcclCommunicator Join(ReadOnlySpan<byte> id, int ranks, int rank)
    {
        UniqueId given;
        id.CopyTo(new Span<byte>(given.Bytes, UniqueId.Size));
        nint handle;
        CudaRuntime.Check(InitRank(&handle, ranks, given, rank), "ncclCommInitRank");
        return new NcclCommunicator(handle);
    }

    /// <summary>Replaces a tensor by the sum over all processes.</summary>
    /// <param name="tensor">Contiguous, float32, on the process's CUDA device; of the same length everywhere.</param>
    /// <exception cref="LabException">NCCL refuses, or the group was ended.</exception>
    public void AllReduce(Tensor tensor)
    {
        var data = CudaDriver.DataPointer(tensor.Handle);
        var stream = CudaDriver.CurrentStream(GpuMemory.IndexOf(tensor.device)!.Value);
        lock (_calls)
        {
            if (Volatile.Read(ref _aborted) != 0)
                throw new LabException("A sum over the ranks' GPUs came after these were parted.");
            CudaRuntime.Check(AllReduce(data, data, (nuint)tensor.numel(), Float32, Sum, _handle, stream), "ncclAllReduce");
        }

        GC.KeepAlive(tensor);
    }

    /// <summary>Ends what waits on the GPU for other processes; may be called from another thread. What was being summed is lost.</summary>
    public void Abort()
    {
        var isFree = _calls.TryEnter(OneCall); // A call that takes longer waits for a lost rank, and is what this ends.
        try
        {
            if (Interlocked.Exchange(ref _aborted, 1) == 0)
                _ = Abort(_handle);
        }
        finally
        {
            if (isFree)
                _calls.Exit();
        }
    }

    /// <summary>Leaves.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _aborted, 1) == 0)
            _ = Destroy(_handle);
    }

    private struct UniqueId
    {
        public const int Size = 128; // NCCL_UNIQUE_ID_BYTES
        public fixed byte Bytes[Size];
    }

#pragma warning disable SYSLIB1054, CA5392 // plain P/Invoke; the library lies beside a CUDA build of PyTorch
    [DllImport("libnccl.so.2", EntryPoint = "ncclGetUniqueId")]
    private static extern int GetUniqueId(UniqueId* id);

    [DllImport("libnccl.so.2", EntryPoint = "ncclCommInitRank")]
    private static extern int InitRank(nint* communicator, int ranks, UniqueId id, int rank);

    [DllImport("libnccl.so.2", EntryPoint = "ncclAllReduce")]
    private static extern int AllReduce(nint send, nint receive, nuint count, int type, int operation, nint communicator, nint stream);

    [DllImport("libnccl.so.2", EntryPoint = "ncclCommAbort")]
    private static extern int Abort(nint communicator);

    [DllImport("libnccl.so.2", EntryPoint = "ncclCommDestroy")]
    private static extern int Destroy(nint communicator);
#pragma warning restore SYSLIB1054, CA5392
}
