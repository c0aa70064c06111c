using System.Runtime.InteropServices;

namespace Dreambooth.Lab.Native;

/// <summary>CUDA's runtime library, which libtorch_cuda brings into the process under its versioned name.</summary>
internal static class CudaRuntime
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
}
