using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>
/// The assemblies that cells are compiled against. Each is opened once. An assembly that the host program itself uses is never
/// loaded a second time: a reference to another copy of it is answered with the host's.
/// </summary>
internal sealed class ReferenceSet
{
    private static readonly Dictionary<string, string> s_platform = PlatformAssemblies();
    private static readonly Lazy<ImmutableArray<MetadataReference>> s_defaults = new(OpenDefaults);
    private static readonly Lazy<HashSet<string>> s_defaultNames =
        new(() => s_defaults.Value.Select(r => Path.GetFileNameWithoutExtension(r.Display)!).ToHashSet(StringComparer.OrdinalIgnoreCase));
    private static readonly AssemblyDependencies s_dependencies = new(s_platform);
    private readonly Dictionary<string, string> _paths = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _referenced = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _nativeFolders = [];

    /// <summary>Creates the set with the framework, the formatting library and this assembly.</summary>
    public ReferenceSet()
    {
        All = s_defaults.Value;
        AssemblyLoadContext.Default.Resolving += Resolve;
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += ResolveNative;
    }

    /// <summary>Everything that cells are compiled against now.</summary>
    public ImmutableArray<MetadataReference> All { get; private set; }

    /// <summary>The file of an assembly that the host program brings, by its name; null when it brings none.</summary>
    public static string? HostPath(string name) => s_platform.GetValueOrDefault(name);

    /// <summary>
    /// Adds an assembly by path, and with it the assemblies that it was compiled against; one of the host's or the framework's by its name
    /// alone, too.
    /// </summary>
    /// <param name="path">A managed assembly.</param>
    /// <returns>A sentence when something else than that file is used, else null.</returns>
    /// <exception cref="KernelException">The file is missing or is not a managed assembly.</exception>
    public string? Add(string path)
    {
        // The whole name first: what stands after a name's last dot need not be an extension.
        if (!File.Exists(path) && s_platform.TryGetValue(Path.GetFileName(path), out var byName))
            path = byName;
        else if (!File.Exists(path) && s_platform.TryGetValue(Path.GetFileNameWithoutExtension(path), out byName))
            path = byName;
        AssemblyName name;
        try
        {
            name = AssemblyName.GetAssemblyName(path);
        }
        catch (FileNotFoundException e)
        {
            throw new KernelException($"#r: there is no file '{path}'.", e);
        }
        catch (BadImageFormatException e)
        {
            throw new KernelException($"#r: '{path}' is not a managed assembly.", e);
        }

        var simple = name.Name!;
        string? note = null;
        if (s_platform.TryGetValue(simple, out var own))
        {
            var ownVersion = AssemblyName.GetAssemblyName(own).Version;
            if (ownVersion < name.Version)
                note = $"{simple} {name.Version} was asked for; this kernel runs with {ownVersion}, which is used instead.";
            path = own;
        }

        if (!_referenced.Contains(simple))
            AddWithDependencies(simple, path);
        else if (_paths[simple] is var known && !string.Equals(known, path, StringComparison.Ordinal))
            note = $"{simple} is referenced already, from '{known}'; restart the kernel to use another copy.";
        return note;
    }

    // Cells can name the types that the assembly's own members use: what it was compiled against is referenced as well.
    private void AddWithDependencies(string simple, string path)
    {
        if (s_defaultNames.Value.Contains(simple) || !_referenced.Add(simple))
            return;
        if (!_paths.TryAdd(simple, path))
            path = _paths[simple];
        All = All.Add(Open(path));
        if (!s_platform.ContainsKey(simple))
            AddNativeFoldersOf(path);
        foreach (var dependency in s_dependencies.Of(path))
            AddWithDependencies(Path.GetFileNameWithoutExtension(dependency), dependency);
    }

    private void AddNativeFoldersOf(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        _nativeFolders.Add(folder);
        var own = Path.Combine(folder, "runtimes", RuntimeInformation.RuntimeIdentifier, "native");
        if (Directory.Exists(own))
            _nativeFolders.Add(own);
    }

    /// <summary>Makes an assembly loadable that cells are not compiled against, such as a package's run-time dependency.</summary>
    public void AddRuntimeOnly(string path) => _paths.TryAdd(Path.GetFileNameWithoutExtension(path), path);

    /// <summary>Adds a folder in which native libraries are searched.</summary>
    public void AddNativeFolder(string folder) => _nativeFolders.Add(folder);

    private static Dictionary<string, string> PlatformAssemblies()
    {
        var list = (string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "";
        var result = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var path in list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            result.TryAdd(Path.GetFileNameWithoutExtension(path), path);
        return result;
    }

    private static ImmutableArray<MetadataReference> OpenDefaults()
    {
        var framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        string[] own =
        [
            typeof(ReferenceSet).Assembly.Location, typeof(Microsoft.DotNet.Interactive.Kernel).Assembly.Location,
            typeof(Microsoft.DotNet.Interactive.Formatting.Formatter).Assembly.Location,
            typeof(Microsoft.AspNetCore.Html.IHtmlContent).Assembly.Location,
            typeof(System.Reactive.Unit).Assembly.Location,
        ];
        return [.. s_platform.Values.Where(p => Path.GetDirectoryName(p) == framework).Concat(own).Select(Open)];
    }

    private static MetadataReference Open(string path) =>
        MetadataReference.CreateFromFile(path, documentation: Language.XmlDocumentationFiles.For(path));

    private Assembly? Resolve(AssemblyLoadContext context, AssemblyName name)
    {
        if (name.Name is null)
            return null;
        if (_paths.TryGetValue(name.Name, out var path))
            return context.LoadFromAssemblyPath(path);
        // Dependencies of an assembly referenced by path lie beside it.
        foreach (var folder in _paths.Values.Select(Path.GetDirectoryName).Distinct())
        {
            var beside = Path.Combine(folder!, name.Name + ".dll");
            if (File.Exists(beside))
                return context.LoadFromAssemblyPath(beside);
        }

        return null;
    }

    private IntPtr ResolveNative(Assembly assembly, string name)
    {
        foreach (var folder in _nativeFolders)
        {
            string[] files = [name, $"lib{name}.so", $"{name}.so", $"{name}.dll", $"lib{name}.dylib"];
            foreach (var file in files.Select(f => Path.Combine(folder, f)).Where(File.Exists))
            {
                if (NativeLibrary.TryLoad(file, out var handle))
                    return handle;
            }
        }

        return IntPtr.Zero;
    }
}
