using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Native.Cuda;

/// <summary>
/// CUDA's runtime library, which libtorch_cuda brings into the process under its versioned name, and what its functions return.
/// </summary>
internal static unsafe class CudaRuntime
{
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
}
