using System.Runtime.InteropServices;

namespace Dreambooth.Lab.Native.Cuda;

/// <summary>The functions of the CUDA driver, and of libtorch about its streams, that <see cref="CudaKernels"/> needs.</summary>
internal static unsafe class CudaDriver
{
    private const int CapabilityMajor = 75; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
    private const int CapabilityMinor = 76;

    private static readonly nint s_driver = NativeLibrary.TryLoad(
        OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", out var handle) ? handle : 0;
    private static readonly delegate* unmanaged[Cdecl]<nint, nint> s_data =
        (delegate* unmanaged[Cdecl]<nint, nint>)TorchLibraries.Export("LibTorchSharp", "THSTensor_data");
    private static readonly delegate* unmanaged[Cdecl]<int, nint*, int> s_stream =
        (delegate* unmanaged[Cdecl]<int, nint*, int>)TorchLibraries.Export("torch_cuda", "aoti_torch_get_current_cuda_stream");
    private static readonly delegate* unmanaged[Cdecl]<int*, int> s_deviceOfThread =
        (delegate* unmanaged[Cdecl]<int*, int>)DriverExport("cuCtxGetDevice");
    private static readonly delegate* unmanaged[Cdecl]<int*, int, int> s_handle =
        (delegate* unmanaged[Cdecl]<int*, int, int>)DriverExport("cuDeviceGet");
    private static readonly delegate* unmanaged[Cdecl]<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int> s_launch =
        (delegate* unmanaged[Cdecl]<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)
            DriverExport("cuLaunchKernel");

    /// <summary>The address of a tensor's first element.</summary>
    /// <param name="tensor">The tensor's handle.</param>
    public static nint DataPointer(nint tensor) => s_data(tensor);

    /// <summary>The stream that libtorch works on in this thread.</summary>
    /// <param name="device">CUDA's device index.</param>
    public static nint CurrentStream(int device)
    {
        nint stream;
        CudaRuntime.Check(s_stream(device, &stream), "aoti_torch_get_current_cuda_stream");
        return stream;
    }

    /// <summary>
    /// Makes a GPU the one that the calling thread works on. Streams, graphs, modules and readings of memory are those of that GPU;
    /// libtorch's own operations go where their tensors are.
    /// </summary>
    /// <param name="device">CUDA's device index.</param>
    public static void MakeCurrent(int device)
    {
        var handle = Handle(device);
        int current;
        // Reading it fails where the thread has no context yet.
        if ((s_deviceOfThread(&current) == 0 && current == handle) || CudaRuntime.SetDevice(device))
            return;
        nint context;
        CudaRuntime.Check(
            ((delegate* unmanaged[Cdecl]<nint*, int, int>)DriverExport("cuDevicePrimaryCtxRetain"))(&context, handle),
            "cuDevicePrimaryCtxRetain");
        CudaRuntime.Check(((delegate* unmanaged[Cdecl]<nint, int>)DriverExport("cuCtxSetCurrent"))(context), "cuCtxSetCurrent");
    }

    /// <summary>A GPU's compute capability, ten times: 90 for an H100.</summary>
    /// <param name="device">CUDA's device index.</param>
    public static int Capability(int device) => (Attribute(device, CapabilityMajor) * 10) + Attribute(device, CapabilityMinor);

    /// <summary>A property of a device.</summary>
    /// <param name="device">CUDA's device index.</param>
    /// <param name="attribute">A value of CUdevice_attribute.</param>
    public static int Attribute(int device, int attribute)
    {
        int value;
        CudaRuntime.Check(
            ((delegate* unmanaged[Cdecl]<int*, int, int, int>)DriverExport("cuDeviceGetAttribute"))(&value, attribute, Handle(device)),
            "cuDeviceGetAttribute");
        return value;
    }

    /// <summary>Loads machine code into the current context, for as long as the process lives.</summary>
    /// <param name="code">What the compiler made.</param>
    public static nint LoadModule(byte[] code)
    {
        nint module;
        fixed (byte* first = code)
            CudaRuntime.Check(
                ((delegate* unmanaged[Cdecl]<nint*, byte*, int>)DriverExport("cuModuleLoadData"))(&module, first), "cuModuleLoadData");
        return module;
    }

    /// <summary>A kernel of a module.</summary>
    /// <param name="module">The module.</param>
    /// <param name="name">The kernel's name.</param>
    public static nint Function(nint module, string name)
    {
        nint function;
        var bytes = System.Text.Encoding.UTF8.GetBytes(name + '\0');
        fixed (byte* first = bytes)
            CudaRuntime.Check(
                ((delegate* unmanaged[Cdecl]<nint*, nint, byte*, int>)DriverExport("cuModuleGetFunction"))(&function, module, first),
                "cuModuleGetFunction");
        return function;
    }

    /// <summary>Starts a kernel.</summary>
    /// <param name="function">The kernel.</param>
    /// <param name="gridX">Blocks in the first direction.</param>
    /// <param name="gridY">Blocks in the second direction.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="arguments">Pointers to the arguments.</param>
    public static void Launch(nint function, uint gridX, uint gridY, uint threads, nint stream, void** arguments) =>
        CudaRuntime.Check(s_launch(function, gridX, gridY, 1, threads, 1, 1, 0, stream, arguments, null), "cuLaunchKernel");

    // The driver's own name of a device.
    private static int Handle(int device)
    {
        int handle;
        CudaRuntime.Check(s_handle(&handle, device), "cuDeviceGet");
        return handle;
    }

    private static nint DriverExport(string function) => s_driver != 0
        ? NativeLibrary.GetExport(s_driver, function)
        : throw new EntryPointNotFoundException($"There is no CUDA driver, which has {function}.");
}
