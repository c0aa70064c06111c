using System.Collections.Concurrent;
using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native.Cuda;

/// <summary>
/// The lab's own CUDA kernels, for chains of operations in which libtorch would read and write the same memory several times. The sources
/// are embedded files, compiled for the GPU at hand and for the sizes at hand when first used, and started on libtorch's current stream, so
/// that they can be captured with the operations around them.
/// </summary>
/// <remarks>
/// Every kernel takes one argument, a structure of members of eight bytes each (pointers, <c>long long</c>, <c>double</c>). Where kernels
/// are not to be had (another device, no NVRTC, an old GPU), the caller has libtorch's operations; the environment variable
/// <c>LAB_CUDA_KERNELS=0</c> asks for those everywhere.
/// </remarks>
internal sealed unsafe class CudaKernels
{
    private const string Preamble = "elements.cu";
    private const int LeastCapability = 80; // bfloat16 conversions

    private static readonly ConcurrentDictionary<Key, Lazy<CudaKernels?>> s_loaded = [];
    private static readonly bool s_wanted = Environment.GetEnvironmentVariable("LAB_CUDA_KERNELS") != "0";

    private readonly ConcurrentDictionary<string, nint> _functions = [];
    private readonly int _device;
    private readonly nint _module;

    private CudaKernels(int device, nint module) => (_device, _module) = (device, module);

    /// <summary>Why there are no kernels on a CUDA device, or null.</summary>
    public static string? Refusal { get; private set; }

    /// <summary>The kernels of a source, compiled for some sizes.</summary>
    /// <param name="device">Where tensors live.</param>
    /// <param name="name">The embedded file's name, without its ending.</param>
    /// <param name="dtype">Element type of the tensors; the source knows it as <c>T</c>.</param>
    /// <param name="constants">Macros, three at most.</param>
    /// <returns>Null where they are not to be had.</returns>
    public static CudaKernels? Of(Device device, string name, ScalarType dtype, params ReadOnlySpan<(string Name, long Value)> constants)
    {
        if (device.type != TorchSharp.DeviceType.CUDA || !s_wanted || ElementOf(dtype) is not { } element)
            return null;
        var index = GpuMemory.IndexOf(device)!.Value;
        long Constant(int i, ReadOnlySpan<(string Name, long Value)> all) => i < all.Length ? all[i].Value : 0;
        var key = new Key(index, name, element, Constant(0, constants), Constant(1, constants), Constant(2, constants));
        if (!s_loaded.TryGetValue(key, out var loaded))
        {
            (string Name, long Value)[] definitions = [.. constants, ("ELEMENT", element)];
            loaded = s_loaded.GetOrAdd(key, _ => new(() => Load(index, name, definitions)));
        }

        return loaded.Value;
    }

    /// <summary>The address of a tensor's first element; keep the tensor alive until the kernel is started.</summary>
    /// <param name="tensor">A tensor on the device, or null for the null pointer.</param>
    public static ulong Pointer(Tensor? tensor) => tensor is null ? 0 : (ulong)CudaDriver.DataPointer(tensor.Handle);

    /// <summary>Starts a kernel on libtorch's current stream.</summary>
    /// <param name="kernel">Its name.</param>
    /// <param name="grid">Number of blocks in both directions.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="arguments">The members of the kernel's argument, in order.</param>
    /// <exception cref="LabException">The driver refuses; the message has its code.</exception>
    public void Launch(string kernel, (long X, long Y) grid, int threads, params ReadOnlySpan<ulong> arguments)
    {
        CudaDriver.MakeCurrent(_device);
        var function = _functions.GetOrAdd(kernel, name => CudaDriver.Function(_module, name));
        fixed (ulong* first = arguments)
        {
            void* only = first;
            CudaDriver.Launch(function, (uint)grid.X, (uint)grid.Y, (uint)threads, CudaDriver.CurrentStream(_device), &only);
        }
    }

    private static CudaKernels? Load(int device, string name, (string Name, long Value)[] definitions)
    {
        try
        {
            CudaDriver.MakeCurrent(device);
            var capability = CudaDriver.Capability(device);
            if (capability < LeastCapability)
                throw new LabException(
                    $"The GPU's compute capability is {capability / 10}.{capability % 10}; the kernels need 8.0 or more.");
            var code = CudaCompiler.Compile(Source(Preamble) + Source(name + ".cu"), name + ".cu", capability, definitions);
            return new CudaKernels(device, CudaDriver.LoadModule(code));
        }
        catch (Exception error) when (error is LabException or DllNotFoundException or EntryPointNotFoundException
            or TypeInitializationException)
        {
            Refusal = (error.InnerException ?? error).Message;
            return null;
        }
    }

    private static string Source(string file)
    {
        using var stream = typeof(CudaKernels).Assembly.GetManifestResourceStream(file)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private readonly record struct Key(int Device, string Source, long Element, long First, long Second, long Third);

    private static long? ElementOf(ScalarType dtype) => dtype switch
    {
        ScalarType.Float32 => 0,
        ScalarType.Float16 => 1,
        ScalarType.BFloat16 => 2,
        _ => null,
    };
}
