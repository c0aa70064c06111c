using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.Json;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>Finds the assemblies that an assembly was compiled against, as the SDK passes those of a referenced project on.</summary>
/// <param name="hostAssemblies">The host program's own assemblies, by name; they come before any other copy.</param>
internal sealed class AssemblyDependencies(IReadOnlyDictionary<string, string> hostAssemblies)
{
    /// <summary>The files of the assemblies that <paramref name="path"/> names itself; what is nowhere is left out.</summary>
    /// <param name="path">A managed assembly.</param>
    /// <returns>
    /// Paths: of the host's copy, else of the file beside the assembly, else of the package that its <c>.deps.json</c> names.
    /// </returns>
    public IEnumerable<string> Of(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var packages = new Lazy<Dictionary<string, string>>(() => FromDepsFile(Path.ChangeExtension(path, ".deps.json")));
        foreach (var name in NamesIn(path))
        {
            if (hostAssemblies.TryGetValue(name, out var own))
                yield return own;
            else if (Path.Combine(folder, name + ".dll") is var beside && IsManaged(beside))
                yield return beside;
            else if (packages.Value.TryGetValue(name, out var package))
                yield return package;
        }
    }

    private static bool IsManaged(string path)
    {
        if (!File.Exists(path))
            return false;
        using var file = new PEReader(File.OpenRead(path));
        try
        {
            return file.HasMetadata;
        }
        catch (BadImageFormatException)
        {
            return false;
        }
    }

    private static List<string> NamesIn(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        var metadata = file.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
    }

    // A class library is built without copies of its packages; the list beside it says where they lie in the packages folder.
    private static Dictionary<string, string> FromDepsFile(string path)
    {
        var result = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (!File.Exists(path))
            return result;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            var libraries = json.RootElement.GetProperty("libraries");
            foreach (var target in json.RootElement.GetProperty("targets").EnumerateObject())
            {
                foreach (var library in target.Value.EnumerateObject().Where(l => l.Value.TryGetProperty("runtime", out _)))
                {
                    if (!libraries.GetProperty(library.Name).TryGetProperty("path", out var folder))
                        continue;
                    foreach (var file in library.Value.GetProperty("runtime").EnumerateObject())
                    {
                        var full = Path.Combine(PackagesFolder(), folder.GetString()!, file.Name);
                        if (File.Exists(full))
                            result.TryAdd(Path.GetFileNameWithoutExtension(full), full);
                    }
                }
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or IOException)
        {
            // A damaged list finds no more than no list.
        }

        return result;
    }

    private static string PackagesFolder() =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } own
            ? own
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
}
