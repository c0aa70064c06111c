using System.Runtime.InteropServices;
using System.Text;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Native.Cuda;

/// <summary>NVRTC, NVRTC, CUDA's run-time compiler, which every CUDA build of libtorch contains.</summary>
internal static unsafe class CudaCompiler
{
    private static readonly Lazy<nint> s_library = new(Find);

    /// <summary>Compiles CUDA C to machine code.</summary>
    /// <param name="source">The text; it can include nothing.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="capability">Compute capability of the GPU, ten times: 90 for an H100.</param>
    /// <param name="definitions">Macros.</param>
    /// <returns>A module for the driver.</returns>
    /// <exception cref="LabException">
    /// There is no NVRTC, it does not know the GPU, or the text has an error; the message has the compiler's.
    /// </exception>
    public static byte[] Compile(string source, string name, int capability, IEnumerable<(string Name, long Value)> definitions)
    {
        var library = s_library.Value;
        if (library == 0)
            throw new LabException("NVRTC (libnvrtc, CUDA's compiler at run time) was not found beside libtorch.");
        var create = (delegate* unmanaged[Cdecl]<nint*, byte*, byte*, int, nint, nint, int>)NativeLibrary.GetExport(
            library, "nvrtcCreateProgram");
        var compile = (delegate* unmanaged[Cdecl]<nint, int, byte**, int>)NativeLibrary.GetExport(library, "nvrtcCompileProgram");
        var destroy = (delegate* unmanaged[Cdecl]<nint*, int>)NativeLibrary.GetExport(library, "nvrtcDestroyProgram");
        string[] options =
            [$"--gpu-architecture=sm_{capability}", "--std=c++17",
                .. definitions.Select(definition => $"-D{definition.Name}={definition.Value}")];
        nint program;
        fixed (byte* text = Encode(source), title = Encode(name))
            CudaRuntime.Check(create(&program, text, title, 0, 0, 0), "nvrtcCreateProgram");
        var arguments = Array.ConvertAll(options, Marshal.StringToCoTaskMemUTF8);
        try
        {
            int code;
            fixed (nint* first = arguments)
                code = compile(program, arguments.Length, (byte**)first);
            return code == 0
                ? Read(library, program, "nvrtcGetCUBIN")
                : throw new LabException(
                    $"The CUDA kernels of {name} do not compile: "
                    + $"{Encoding.UTF8.GetString(Read(library, program, "nvrtcGetProgramLog")).Trim('\0', '\n', ' ')}");
        }
        finally
        {
            foreach (var argument in arguments)
                Marshal.FreeCoTaskMem(argument);
            _ = destroy(&program);
        }
    }

    // "nvrtcGetCUBIN" has its size from "nvrtcGetCUBINSize", and so on.
    private static byte[] Read(nint library, nint program, string call)
    {
        var size = (delegate* unmanaged[Cdecl]<nint, nuint*, int>)NativeLibrary.GetExport(library, call + "Size");
        var get = (delegate* unmanaged[Cdecl]<nint, byte*, int>)NativeLibrary.GetExport(library, call);
        nuint length;
        CudaRuntime.Check(size(program, &length), call + "Size");
        var bytes = new byte[length];
        fixed (byte* first = bytes)
            CudaRuntime.Check(get(program, first), call);
        return bytes;
    }

    private static byte[] Encode(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static nint Find()
    {
        string[] names = OperatingSystem.IsWindows() ? ["nvrtc64_130_0.dll", "nvrtc64_120_0.dll"] : ["libnvrtc.so.13", "libnvrtc.so.12"];
        foreach (var candidate in names.Concat(BesideTorch()))
        {
            if (NativeLibrary.TryLoad(candidate, out var handle))
                return handle;
        }

        return 0;
    }

    // In libtorch's own folder, or, of a PyTorch from wheels, in the folders of NVIDIA's.
    private static IEnumerable<string> BesideTorch()
    {
        var folder = TorchLibraries.Load().TorchFolder;
        if (folder.Length == 0)
            return [];
        var wheels = Path.Combine(folder, "..", "..", "nvidia");
        string[] folders =
            [folder, .. Directory.Exists(wheels)
                ? Directory.GetDirectories(wheels).Select(package => Path.Combine(package, "lib")).Where(Directory.Exists)
                : []];
        return folders.SelectMany(place => Directory.GetFiles(place, "*nvrtc*"))
            .Where(
                file => !file.Contains("builtins", StringComparison.Ordinal) && !file.Contains("caffe2", StringComparison.Ordinal)
                    && !file.Contains(".alt.", StringComparison.Ordinal));
    }
}
