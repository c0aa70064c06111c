using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Native.Cuda;

/// <summary>
/// CUDA's runtime library, which libtorch_cuda brings into the process under its versioned name, and what its functions return.
/// </summary>
internal static unsafe class CudaRuntime
{
    // Here, so that whatever calls the library first finds it.
    static CudaRuntime() => NativeLibrary.SetDllImportResolver(
        typeof(CudaRuntime).Assembly, static (name, assembly, path) => name == Library ? Load() ?? 0 : 0);

    private const string Library = "cudart";

    /// <summary>The library's handle; null where there is none.</summary>
    public static nint? Load()
    {
        foreach (var name in (string[])["libcudart.so.13", "libcudart.so.12"])
        {
            if (NativeLibrary.TryLoad(name, out var handle))
                return handle;
        }

        return null;
    }

    /// <summary>Makes a GPU the calling thread's current device, as libtorch does it.</summary>
    /// <param name="device">CUDA's device index.</param>
    /// <returns>False where there is no such library.</returns>
    /// <exception cref="LabException">CUDA refuses.</exception>
    public static bool SetDevice(int device)
    {
        if (Load() is not { } library)
            return false;
        Check(((delegate* unmanaged[Cdecl]<int, int>)NativeLibrary.GetExport(library, "cudaSetDevice"))(device), "cudaSetDevice");
        return true;
    }

    /// <summary>Requires that a call of CUDA, of its driver or of its compiler was successful.</summary>
    /// <param name="code">What it returned; 0 is success.</param>
    /// <param name="call">Its name.</param>
    /// <param name="advice">What the user may do instead, a sentence, or nothing.</param>
    /// <exception cref="LabException">It was not.</exception>
    public static void Check(int code, string call, string advice = "")
    {
        if (code != 0)
            throw new LabException($"{call} failed with code {code}. {advice}".TrimEnd());
    }

#pragma warning disable SYSLIB1054, CA5392 // plain P/Invoke into a library that libtorch has loaded
    [DllImport(Library, EntryPoint = "cudaStreamCreateWithFlags")]
    public static extern int StreamCreate(out nint stream, uint flags);

    [DllImport(Library, EntryPoint = "cudaStreamDestroy")]
    public static extern int StreamDestroy(nint stream);

    [DllImport(Library, EntryPoint = "cudaStreamSynchronize")]
    public static extern int StreamSynchronize(nint stream);

    [DllImport(Library, EntryPoint = "cudaStreamBeginCapture")]
    public static extern int StreamBeginCapture(nint stream, int mode);

    [DllImport(Library, EntryPoint = "cudaStreamEndCapture")]
    public static extern int StreamEndCapture(nint stream, out nint graph);

    [DllImport(Library, EntryPoint = "cudaGraphInstantiate")]
    public static extern int GraphInstantiate(out nint executable, nint graph, ulong flags);

    [DllImport(Library, EntryPoint = "cudaGraphLaunch")]
    public static extern int GraphLaunch(nint executable, nint stream);

    [DllImport(Library, EntryPoint = "cudaGraphDestroy")]
    public static extern int GraphDestroy(nint graph);

    [DllImport(Library, EntryPoint = "cudaGraphExecDestroy")]
    public static extern int GraphExecDestroy(nint executable);

    [DllImport(Library, EntryPoint = "cudaEventCreateWithFlags")]
    public static extern int EventCreate(out nint handle, uint flags);

    [DllImport(Library, EntryPoint = "cudaEventRecord")]
    public static extern int EventRecord(nint handle, nint stream);

    [DllImport(Library, EntryPoint = "cudaEventSynchronize")]
    public static extern int EventSynchronize(nint handle);

    [DllImport(Library, EntryPoint = "cudaEventDestroy")]
    public static extern int EventDestroy(nint handle);

    [DllImport(Library, EntryPoint = "cudaMemGetInfo")]
    public static extern int MemGetInfo(out nuint free, out nuint total);
#pragma warning restore SYSLIB1054, CA5392
}
