using System.Globalization;
using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native;

/// <summary>
/// A captured sequence of GPU work that is started by one call, where launching each operation by itself would keep the
/// GPU waiting for the processor (CUDA graphs). What is captured must read and write the same tensors every time, must not
/// read values back, and must have zeroed or overwritten whatever it accumulates into.
/// </summary>
/// <remarks>
/// The work is captured on a stream of its own, on which nothing is allocated afterwards: the memory it touched stays
/// reserved for it. It is started on the default stream, in order with other operations. Never let libtorch release
/// cached memory while a graph lives.
/// </remarks>
public sealed class CudaGraph : IReplayable
{
    private const double Agreement = 0.02;
    private const int NonBlocking = 1; // cudaStreamNonBlocking
    private const int Relaxed = 2; // cudaStreamCaptureModeRelaxed
    private nint _executable;
    private nint _stream;

    private CudaGraph(nint stream, nint executable) => (_stream, _executable) = (stream, executable);

    /// <summary>Whether an error means that some work cannot be captured here, and that plain calls will do.</summary>
    /// <param name="error">What capturing, or the first launch, threw.</param>
    public static bool IsRefusal(Exception error) => error is LabException or ExternalException or DllNotFoundException or EntryPointNotFoundException;

    /// <summary>What a user is told when some work is not recorded: a sentence with the reason.</summary>
    /// <param name="error">The refusal.</param>
    public static string Warning(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return $"Steps are not recorded as a CUDA graph: {error.Message.Split('\n')[0]} Each operation is launched by itself.";
    }

    /// <summary>Requires that recorded work computes what plain calls do: ‖recorded − plain‖ ≤ 0.02 ‖plain‖; bfloat16 products that another stream orders otherwise differ by less.</summary>
    /// <param name="recorded">What a replay gave; any shape.</param>
    /// <param name="plain">What plain calls gave for the same inputs.</param>
    /// <param name="what">What was recorded, as <c>a recorded prediction differs</c>.</param>
    /// <exception cref="LabException">It does not.</exception>
    public static void RequireAgreement(Tensor recorded, Tensor plain, string what)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        ArgumentNullException.ThrowIfNull(plain);
        using var scope = NewDisposeScope();
        var difference = linalg.vector_norm(recorded - plain).item<float>();
        var scale = linalg.vector_norm(plain).item<float>();
        if (!(difference <= Agreement * scale))
            throw new LabException(string.Create(CultureInfo.InvariantCulture, $"{what} by {difference:g3} of {scale:g3} from a plain one."));
    }

    /// <summary>The way to record on a device, or null where there is none.</summary>
    /// <param name="device">Where the models live.</param>
    /// <param name="warmUps">How often the work runs before.</param>
    public static Func<Device, Action, IReplayable>? RecorderOf(Device device, int warmUps = 10)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.type == TorchSharp.DeviceType.CUDA ? (where, work) => Capture(where, work, warmUps) : null;
    }

    /// <summary>Runs some work a few times, then captures it.</summary>
    /// <param name="device">A CUDA device.</param>
    /// <param name="work">The work; its tensors live outside of it.</param>
    /// <param name="warmUps">How often it runs before, so that workspaces and gradients are allocated; 3 or more.</param>
    /// <exception cref="LabException">CUDA refuses; the message has its code.</exception>
    public static CudaGraph Capture(Device device, Action work, int warmUps = 10)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(work);
        if (device.type != TorchSharp.DeviceType.CUDA)
            throw new ArgumentException($"A CUDA graph needs a CUDA device, not {device}.", nameof(device));
        cuda.synchronize();
        Check(CudaStreamCreateWithFlags(out var stream, NonBlocking), "cudaStreamCreateWithFlags");
        nint guard = 0;
        try
        {
            Check(CreateStreamGuard(stream, GpuMemory.IndexOf(device)!.Value, out guard), "aoti_torch_create_cuda_stream_guard");
            for (var i = 0; i < Math.Max(warmUps, 3); i++)
                work();
            Check(CudaStreamSynchronize(stream), "cudaStreamSynchronize");
            return new CudaGraph(stream, Record(stream, work));
        }
        catch
        {
            _ = CudaStreamDestroy(stream);
            throw;
        }
        finally
        {
            if (guard != 0)
                _ = DeleteStreamGuard(guard);
        }
    }

    private static nint Record(nint stream, Action work)
    {
        Check(CudaStreamBeginCapture(stream, Relaxed), "cudaStreamBeginCapture");
        try
        {
            work();
        }
        catch
        {
            // A stream that is left in the middle of a capture makes later synchronisations fail.
            if (CudaStreamEndCapture(stream, out var unfinished) == 0)
                _ = CudaGraphDestroy(unfinished);
            throw;
        }

        Check(CudaStreamEndCapture(stream, out var graph), "cudaStreamEndCapture");
        try
        {
            Check(CudaGraphInstantiate(out var executable, graph, 0), "cudaGraphInstantiate");
            return executable;
        }
        finally
        {
            _ = CudaGraphDestroy(graph);
        }
    }

    /// <summary>Starts the work; operations that follow on the default stream wait for it.</summary>
    public void Launch() => Check(CudaGraphLaunch(_executable, 0), "cudaGraphLaunch");

    /// <summary>Frees the graph.</summary>
    public void Dispose()
    {
        if (_executable != 0)
            _ = CudaGraphExecDestroy(_executable);
        if (_stream != 0)
            _ = CudaStreamDestroy(_stream);
        (_executable, _stream) = (0, 0);
    }

    private static void Check(int code, string call)
    {
        if (code != 0)
            throw new LabException($"{call} failed with code {code}. Run without CUDA graphs.");
    }

    static CudaGraph() => NativeLibrary.SetDllImportResolver(
        typeof(CudaGraph).Assembly, static (name, assembly, path) => name == "cudart" ? CudaRuntime.Load() ?? 0 : 0);

#pragma warning disable SYSLIB1054, CA5392 // plain P/Invoke into libraries that libtorch has loaded
    [DllImport("cudart", EntryPoint = "cudaStreamCreateWithFlags")]
    private static extern int CudaStreamCreateWithFlags(out nint stream, uint flags);

    [DllImport("cudart", EntryPoint = "cudaStreamDestroy")]
    private static extern int CudaStreamDestroy(nint stream);

    [DllImport("cudart", EntryPoint = "cudaStreamSynchronize")]
    private static extern int CudaStreamSynchronize(nint stream);

    [DllImport("cudart", EntryPoint = "cudaStreamBeginCapture")]
    private static extern int CudaStreamBeginCapture(nint stream, int mode);

    [DllImport("cudart", EntryPoint = "cudaStreamEndCapture")]
    private static extern int CudaStreamEndCapture(nint stream, out nint graph);

    [DllImport("cudart", EntryPoint = "cudaGraphInstantiate")]
    private static extern int CudaGraphInstantiate(out nint executable, nint graph, ulong flags);

    [DllImport("cudart", EntryPoint = "cudaGraphLaunch")]
    private static extern int CudaGraphLaunch(nint executable, nint stream);

    [DllImport("cudart", EntryPoint = "cudaGraphDestroy")]
    private static extern int CudaGraphDestroy(nint graph);

    [DllImport("cudart", EntryPoint = "cudaGraphExecDestroy")]
    private static extern int CudaGraphExecDestroy(nint executable);

    [DllImport("libtorch_cuda.so", EntryPoint = "aoti_torch_create_cuda_stream_guard")]
    private static extern int CreateStreamGuard(nint stream, int device, out nint guard);

    [DllImport("libtorch_cuda.so", EntryPoint = "aoti_torch_delete_cuda_stream_guard")]
    private static extern int DeleteStreamGuard(nint guard);
#pragma warning restore SYSLIB1054, CA5392
}
