using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Native;

/// <summary>
/// Finds libtorch and TorchSharp's native library and loads them by full path before TorchSharp is first used:
/// from the folder that <c>LIBTORCH_DIR</c> names (an existing PyTorch's <c>lib</c> folder, CUDA builds included), else
/// from the NuGet packages beside this assembly. Where the system's C++ library is older than the one TorchSharp was
/// linked with (Debian 12, Ubuntu 22.04), a copy of TorchSharp's library with that one version need marked weak is used.
/// </summary>
internal static class TorchLibraries
{
    /// <summary>The version need of TorchSharp 0.107.0 that old systems lack; only a link-time marker stands behind it.</summary>
    private const string NewestCxxVersion = "GLIBCXX_3.4.32";

    private static readonly Lock Gate = new();
    private static TorchLibrariesReport? _report;

    /// <summary>Loads the libraries if that has not happened yet.</summary>
    /// <returns>What was found and loaded.</returns>
    /// <exception cref="LabException">A library is missing or does not load; the message says what to do.</exception>
    public static TorchLibrariesReport EnsureLoaded()
    {
        var report = Load();
        return report.Problem is null ? report : throw new LabException(report.Problem);
    }

    /// <summary>Loads the libraries if that has not happened yet, and reports a failure instead of throwing it.</summary>
    public static TorchLibrariesReport Load()
    {
        lock (Gate)
            return _report ??= Find();
    }

    /// <summary>A function of libtorch or of TorchSharp's native library.</summary>
    /// <param name="library">The library's plain name.</param>
    /// <param name="function">The function's.</param>
    /// <exception cref="EntryPointNotFoundException">There is none.</exception>
    internal static nint Export(string library, string function)
    {
        var path = EnsureLoaded().Loaded.FirstOrDefault(file => Path.GetFileName(file).Contains(library, StringComparison.Ordinal))
            ?? throw new EntryPointNotFoundException($"{library} is not loaded, which has {function}.");
        return NativeLibrary.GetExport(NativeLibrary.Load(path), function);
    }

    // Libraries must be in the process before TorchSharp's first call. Waiting for its assembly to load
    // keeps commands that need no tensors fast.
    [ModuleInitializer]
    [System.Diagnostics.CodeAnalysis.SuppressMessage(
        "Usage", "CA2255", Justification = "A notebook that references the assembly has no start-up code of ours.")]
    internal static void LoadWithTorchSharp() => WhenTorchSharpIsLoaded(static () => Load());

    /// <summary>Calls an action when TorchSharp's assembly is loaded: at once, or on the thread that loads it.</summary>
    /// <param name="action">It must name no type of TorchSharp outside of methods that it calls.</param>
    internal static void WhenTorchSharpIsLoaded(Action action)
    {
        if (Array.Exists(AppDomain.CurrentDomain.GetAssemblies(), IsTorchSharp))
            action();
        else
            AppDomain.CurrentDomain.AssemblyLoad += (_, loaded) => { if (IsTorchSharp(loaded.LoadedAssembly)) action(); };
    }

    private static bool IsTorchSharp(Assembly assembly) => assembly.GetName().Name == "TorchSharp";

    private static TorchLibrariesReport Find()
    {
        var loaded = new List<string>();

        // Without one, libtorch's math library ends the process.
        if (!UserFolders.CurrentIsThere())
            return new(string.Empty, loaded, false, UserFolders.CurrentIsGone);
        try
        {
            var packages = PackageFolder();
            var external = Environment.GetEnvironmentVariable("LIBTORCH_DIR");
            var torch = !string.IsNullOrEmpty(external) ? external : TorchFolder(packages);
            if (!File.Exists(Path.Combine(torch, FileName("torch_cpu"))))
                return new(torch, loaded, false, string.IsNullOrEmpty(external)
                    ? $"libtorch was not found in {torch}. Build the project again (dotnet build), or set LIBTORCH_DIR to the lib folder "
                        + "of a PyTorch install."
                    : $"LIBTORCH_DIR is {external}, which holds no {FileName("torch_cpu")}. Set it to the lib folder of a PyTorch install "
                        + "(python3 -c \"import torch, os; print(os.path.join(os.path.dirname(torch.__file__), 'lib'))\").");
            LetIdleThreadsSleep();
            foreach (var name in new[] { "c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch" })
            {
                var path = Path.Combine(torch, FileName(name));
                if (!File.Exists(path))
                    continue;
                NativeLibrary.Load(path);
                loaded.Add(path);
            }

            var binding = Path.Combine(packages, FileName("LibTorchSharp"));
            if (!File.Exists(binding))
                return new(
                    torch, loaded, false, $"TorchSharp's native library was not found: {binding}. Build the project again (dotnet build).");
            var (used, marked) = LoadBinding(binding);
            loaded.Add(used);
            return new(torch, loaded, marked, null);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or IOException or UnauthorizedAccessException
            or LabException)
        {
            return new(
                string.Empty, loaded, false, $"libtorch could not be loaded: {e.Message} Run `dotnet run -- doctor` for what was found.");
        }
    }

    // libgomp reads these once, when it is loaded: a thread that waits for work looks for it some 20 µs long and then sleeps.
    // Spinning for long costs many times the work itself beside other programs, sleeping at once makes small operations wait
    // for each other (decision 0008). .NET's own variables do not reach native code.
    private static void LetIdleThreadsSleep()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is not null)
            return;
        _ = SetNativeVariable("OMP_WAIT_POLICY", "PASSIVE", overwrite: 0);
        _ = SetNativeVariable("GOMP_SPINCOUNT", "1000", overwrite: 0);
    }

#pragma warning disable SYSLIB1054, CA5392, CA2101 // plain P/Invoke into the C library
    [DllImport("libc", EntryPoint = "setenv", CharSet = CharSet.Ansi)]
    private static extern int SetNativeVariable(string name, string value, int overwrite);
#pragma warning restore SYSLIB1054, CA5392, CA2101

    private static (string Path, bool Marked) LoadBinding(string path)
    {
        try
        {
            NativeLibrary.Load(path);
            return (path, false);
        }
        catch (DllNotFoundException e) when (OperatingSystem.IsLinux() && e.Message.Contains(NewestCxxVersion, StringComparison.Ordinal))
        {
            var copy = MarkedCopy(path);
            NativeLibrary.Load(copy);
            return (copy, true);
        }
    }

    private static string MarkedCopy(string path)
    {
        var image = File.ReadAllBytes(path);
        var key = Convert.ToHexStringLower(SHA256.HashData(image))[..32];
        var copy = Path.Combine(UserFolders.Cache, "native", key, Path.GetFileName(path));
        if (ElfVersionNeed.MarkWeak(image, NewestCxxVersion) == 0)
            throw new LabException(
                $"{path} asks for {NewestCxxVersion} in a way that cannot be relaxed; a newer libstdc++ is needed (GCC 13.2 or later).");
        if (!File.Exists(copy) || !File.ReadAllBytes(copy).AsSpan().SequenceEqual(image))
            Write(copy, image);
        return copy;
    }

    private static void Write(string copy, byte[] image)
    {
        try
        {
            AtomicFile.Write(copy, stream => stream.Write(image));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException(
                $"The cache folder {UserFolders.Cache} cannot be written to: {error.Message} Set LAB_CACHE to a folder that can.", error);
        }
    }

    /// <summary>
    /// The first folder, of those where a build, a publish or the package restore of a notebook puts native libraries, that holds
    /// TorchSharp's.
    /// </summary>
    private static string PackageFolder()
    {
        var roots = new[] { Path.GetDirectoryName(typeof(TorchLibraries).Assembly.Location), AppContext.BaseDirectory }
            .OfType<string>().Where(root => root.Length > 0).Distinct().ToArray();
        var folders = roots.SelectMany(root => new[] { Path.Combine(root, "runtimes", Platform, "native"), root })
            .Concat(Restored("torchsharp")).ToArray();
        return Array.Find(folders, folder => File.Exists(Path.Combine(folder, FileName("LibTorchSharp")))) ?? folders[0];
    }

    // libtorch lies beside TorchSharp's library, or in a package of its own among the restored ones.
    private static string TorchFolder(string packages) =>
        Restored($"libtorch-cpu-{Platform}").Prepend(packages)
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, FileName("torch_cpu"))), packages);

    // This assembly lies in PACKAGES/dreambooth.lab/VERSION/lib/FRAMEWORK then.
    private static IEnumerable<string> Restored(string package)
    {
        var packages = Path.GetFullPath(
            Path.Combine(Path.GetDirectoryName(typeof(TorchLibraries).Assembly.Location) ?? ".", "..", "..", "..", ".."));
        var versions = Path.Combine(packages, package);
        return Directory.Exists(versions)
            ? Directory.GetDirectories(versions).OrderByDescending(VersionOf)
                .Select(version => Path.Combine(version, "runtimes", Platform, "native"))
            : [];
    }

    private static Version VersionOf(string folder) =>
        Version.TryParse(Path.GetFileName(folder).Split('-')[0], out var version) ? version : new Version();

    private static string Platform { get; } =
        (OperatingSystem.IsWindows() ? "win-" : OperatingSystem.IsMacOS() ? "osx-" : "linux-")
        + RuntimeInformation.RuntimeIdentifier.Split('-')[^1];

    private static string FileName(string library) =>
        OperatingSystem.IsWindows() ? $"{library}.dll" : OperatingSystem.IsMacOS() ? $"lib{library}.dylib" : $"lib{library}.so";
}
