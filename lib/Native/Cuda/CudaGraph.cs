using System.Diagnostics;
using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native.Cuda;

/// <summary>
/// A captured sequence of GPU work that is started by one call, where launching each operation by itself would keep the
/// GPU waiting for the processor (CUDA graphs). What is captured must read and write the same tensors every time, must not
/// read values back, and must have zeroed or overwritten whatever it accumulates into.
/// </summary>
/// <remarks>
/// The work is captured on a stream of its own (<see cref="RecordingStream"/>), on which nothing is allocated while the graph lives; what
/// it computes in is held there, so that libtorch neither gives it to other work nor back to the device, even when memory runs short.
/// Warm-ups and capture take as much of the device's memory as plain calls do, beside what plain calls have left in libtorch's cache:
/// release that before (<see cref="CachedMemory"/>). The graph is started on the default stream, in order with other operations.
/// </remarks>
internal sealed class CudaGraph : IReplayable
{
    private const int Relaxed = 2; // cudaStreamCaptureModeRelaxed

    // Kernels are compiled and TorchScript functions optimised in their first runs, the latter up to the third; libraries make their
    // workspaces and plans in the first one on a stream.
    private const int WarmUps = 3;

    // Of the time of work that leaves the device waiting, launching is nearly all; of other work, a part that does not matter.
    private const double LaunchBound = 0.8;

    private static int _living;

    private readonly RecordingStream _stream;
    private nint _executable;

    private CudaGraph(RecordingStream stream, nint executable)
    {
        (_stream, _executable) = (stream, executable);
        Interlocked.Increment(ref _living);
    }

    /// <summary>Whether this process holds a graph that was not freed.</summary>
    internal static bool AnyLives => Volatile.Read(ref _living) > 0;

    /// <summary>How to capture on a device, or null where that is not possible.</summary>
    /// <param name="device">Device of the work.</param>
    public static Func<Device, Action, IReplayable>? RecorderOf(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.type == TorchSharp.DeviceType.CUDA ? Capture : null;
    }

    /// <summary>
    /// Runs some work and returns whether a graph of it would be faster: whether the device waited for the processor, which spent most of
    /// the time on launches.
    /// </summary>
    /// <param name="device">Where it computes; any but a CUDA device has ended when a call returns, and counts as waiting.</param>
    /// <param name="work">The work; warm, and without waits of its own.</param>
    public static bool IsLaunchBound(Device device, Action work)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(work);
        var onGpu = device.type == TorchSharp.DeviceType.CUDA;
        if (onGpu)
            cuda.synchronize(device);
        var clock = Stopwatch.StartNew();
        work();
        var launched = clock.Elapsed;
        if (onGpu)
            cuda.synchronize(device);
        return launched >= LaunchBound * clock.Elapsed || !onGpu;
    }

    /// <summary>Runs some work three times, then captures it.</summary>
    /// <param name="device">A CUDA device.</param>
    /// <param name="work">The work; its tensors live outside of it.</param>
    /// <exception cref="LabException">CUDA refuses (the message has its code), or the device is nearly full.</exception>
    public static CudaGraph Capture(Device device, Action work)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(work);
        if (device.type != TorchSharp.DeviceType.CUDA)
            throw new ArgumentException($"A CUDA graph needs a CUDA device, not {device}.", nameof(device));
        cuda.synchronize(device);
        var stream = RecordingStream.Take(device);
        nint executable = 0;
        try
        {
            using (stream.Enter())
            {
                stream.MakeRoom();
                for (var i = 0; i < WarmUps; i++)
                    work();
                stream.Wait();
                executable = Record(stream.Handle, work);
                GradientNode.FreeReturned();
                stream.HoldMemory();
            }

            return new CudaGraph(stream, executable);
        }
        catch
        {
            if (executable != 0)
                _ = CudaRuntime.GraphExecDestroy(executable);
            stream.Destroy();
            throw;
        }
    }

    private static nint Record(nint stream, Action work)
    {
        Check(CudaRuntime.StreamBeginCapture(stream, Relaxed), "cudaStreamBeginCapture");
        try
        {
            work();
        }
        catch
        {
            // A stream that is left in the middle of a capture makes later synchronisations fail.
            if (CudaRuntime.StreamEndCapture(stream, out var unfinished) == 0)
                _ = CudaRuntime.GraphDestroy(unfinished);
            throw;
        }

        Check(CudaRuntime.StreamEndCapture(stream, out var graph), "cudaStreamEndCapture");
        try
        {
            Check(CudaRuntime.GraphInstantiate(out var executable, graph, 0), "cudaGraphInstantiate");
            return executable;
        }
        finally
        {
            _ = CudaRuntime.GraphDestroy(graph);
        }
    }

    /// <summary>Starts the work; operations that follow on the default stream wait for it.</summary>
    public void Launch()
    {
        // The default stream is that of the GPU that the thread works on.
        CudaDriver.MakeCurrent(_stream.Index);
        Check(CudaRuntime.GraphLaunch(_executable, 0), "cudaGraphLaunch");
    }

    /// <summary>Frees the graph and its memory.</summary>
    public void Dispose()
    {
        if (_executable == 0)
            return;
        _ = CudaRuntime.GraphExecDestroy(_executable);
        _executable = 0;
        _stream.Dispose();
        Interlocked.Decrement(ref _living);
    }

    internal static void Check(int code, string call) => CudaRuntime.Check(code, call, "Run without CUDA graphs.");
}
