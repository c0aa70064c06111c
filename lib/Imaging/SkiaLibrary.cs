using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// Finds SkiaSharp's native library in a host that references this assembly by path, such as a script or a notebook: such a host
/// has no list of dependencies that names <c>runtimes/…/native</c> beside the assembly.
/// </summary>
internal static class SkiaLibrary
{
    private const string Name = "libSkiaSharp";

    // Hosts may give every assembly a context of its own; the one that counts is SkiaSharp's.
    [ModuleInitializer]
    [System.Diagnostics.CodeAnalysis.SuppressMessage(
        "Usage", "CA2255", Justification = "A script that references the assembly has no start-up code of ours.")]
    internal static void Register()
    {
        AppDomain.CurrentDomain.AssemblyLoad += (_, e) => Register(e.LoadedAssembly);
        foreach (var assembly in AppDomain.CurrentDomain.GetAssemblies())
            Register(assembly);
    }

    private static void Register(Assembly assembly)
    {
        if (assembly.GetName().Name == "SkiaSharp" && AssemblyLoadContext.GetLoadContext(assembly) is { } context)
            context.ResolvingUnmanagedDll += (_, name) => name == Name ? Load() : IntPtr.Zero;
    }

    private static IntPtr Load()
    {
        var folder = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location) ?? "";
        var (system, file) = OperatingSystem.IsWindows() ? ("win", $"{Name}.dll")
            : OperatingSystem.IsMacOS() ? ("osx", $"{Name}.dylib") : ("linux", $"{Name}.so");
        var architecture = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        foreach (var platform in new[] { $"{system}-{architecture}", system })
        {
            if (NativeLibrary.TryLoad(Path.Combine(folder, "runtimes", platform, "native", file), out var handle))
                return handle;
        }

        return IntPtr.Zero;
    }
}
