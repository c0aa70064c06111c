using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dreambooth.Lab.Kernel.Engine;

namespace Dreambooth.Lab.Kernel.Magics;

/// <summary>
/// Packages that cells reference. They are restored by the .NET SDK as a project of their own, all together, so that their
/// dependencies agree; what was restored before is found again without the SDK.
/// </summary>
/// <param name="references">Takes the packages' assemblies.</param>
internal sealed class NuGetReferences(ReferenceSet references)
{
    private readonly SortedDictionary<string, string> _packages = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _sources = [];

    /// <summary>Adds a package source.</summary>
    /// <param name="source">A URL or folder.</param>
    public void AddSource(string source) => _sources.Add(source.Trim('"'));

    /// <summary>References a package.</summary>
    /// <param name="reference">The id, with a version after a comma or without.</param>
    /// <returns>What was installed, for the reader.</returns>
    /// <exception cref="KernelException">The restore failed or the SDK is missing.</exception>
    public string Add(string reference)
    {
        var parts = reference.Split(',', StringSplitOptions.TrimEntries);
        var (id, version) = (parts[0], parts.Length > 1 ? parts[1] : "*");
        if (id.Length == 0)
            throw new KernelException("#r: the id of a package is missing; write #r \"nuget: Id, Version\".");
        if (_packages.TryGetValue(id, out var known) && (known == version || version == "*"))
            return "";
        if (known is not null)
            throw new KernelException($"Package {id} {known} is in use already; restart the kernel to use {version}.");
        _packages.Add(id, version);
        try
        {
            using var assets = JsonDocument.Parse(File.ReadAllBytes(Restore()));
            return Use(assets.RootElement, id);
        }
        catch
        {
            _packages.Remove(id);
            throw;
        }
    }

    private string Restore()
    {
        var project = new StringBuilder("<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup>");
        project.Append(FormattableString.Invariant($"<TargetFramework>net{Environment.Version.Major}.{Environment.Version.Minor}</TargetFramework>"));
        project.Append(FormattableString.Invariant($"<RuntimeIdentifier>{RuntimeInformation.RuntimeIdentifier}</RuntimeIdentifier>"));
        project.Append("<SelfContained>false</SelfContained><ManagePackageVersionsCentrally>false</ManagePackageVersionsCentrally>");
        if (_sources.Count > 0)
            project.Append(CultureInfo.InvariantCulture, $"<RestoreAdditionalProjectSources>{SecurityElement.Escape(string.Join(';', _sources))}</RestoreAdditionalProjectSources>");
        project.Append("</PropertyGroup><ItemGroup>");
        foreach (var (id, version) in _packages)
            project.Append(CultureInfo.InvariantCulture, $"<PackageReference Include=\"{SecurityElement.Escape(id)}\" Version=\"{SecurityElement.Escape(version)}\" />");
        project.Append("</ItemGroup></Project>");
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(project.ToString())))[..16];
        var root = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        var folder = Path.Combine(root.Length > 0 ? root : Path.GetTempPath(), "csharp-kernel", "packages", hash);
        var assets = Path.Combine(folder, "obj", "project.assets.json");
        if (File.Exists(assets) && !_packages.Values.Any(v => v.Contains('*', StringComparison.Ordinal)) && AllPresent(assets))
            return assets;
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "packages.csproj"), project.ToString());
        RunRestore(folder);
        return assets;
    }

    private static void RunRestore(string folder)
    {
        var start = new ProcessStartInfo("dotnet", ["restore", "packages.csproj", "-v", "q", "-nologo", "-p:NuGetAudit=false"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            using var interrupt = CellInterrupt.Current?.Token.Register(() => process.Kill(entireProcessTree: true));
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            CellInterrupt.Poll();
            if (process.ExitCode != 0)
                throw new KernelException("The packages could not be restored:\n" + (output + error.Result).Trim());
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new KernelException("#r \"nuget: …\" needs the .NET SDK ('dotnet' on the PATH), which was not found.", e);
        }
    }

    private static bool AllPresent(string assets)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(assets));
        return Libraries(json.RootElement).All(l => Directory.Exists(l.Folder));
    }

    private static IEnumerable<(string Key, string Folder)> Libraries(JsonElement assets)
    {
        var folders = assets.GetProperty("packageFolders").EnumerateObject().Select(f => f.Name).ToList();
        foreach (var library in assets.GetProperty("libraries").EnumerateObject())
        {
            var path = library.Value.GetProperty("path").GetString()!;
            yield return (library.Name, folders.Select(f => Path.Combine(f, path)).FirstOrDefault(Directory.Exists) ?? Path.Combine(folders[0], path));
        }
    }

    private string Use(JsonElement assets, string id)
    {
        var folders = Libraries(assets).ToDictionary(l => l.Key, l => l.Folder);
        var installed = "";
        // The target with a runtime identifier lists what this platform needs.
        var target = assets.GetProperty("targets").EnumerateObject().OrderByDescending(t => t.Name.Length).First().Value;
        foreach (var library in target.EnumerateObject())
        {
            foreach (var file in Files(library.Value, "compile"))
            {
                // The implementation is what runs, and what the compiler may see, too.
                var implementation = Files(library.Value, "runtime").FirstOrDefault(r => Path.GetFileName(r) == Path.GetFileName(file)) ?? file;
                references.Add(Path.Combine(folders[library.Name], implementation));
            }

            foreach (var file in Files(library.Value, "runtime"))
                references.AddRuntimeOnly(Path.Combine(folders[library.Name], file));
            foreach (var file in Files(library.Value, "native"))
                references.AddNativeFolder(Path.GetDirectoryName(Path.Combine(folders[library.Name], file))!);
            if (library.Name.StartsWith(id + "/", StringComparison.OrdinalIgnoreCase))
                installed = $"Installed package {library.Name.Replace("/", ", ", StringComparison.Ordinal)}";
        }

        return installed;
    }

    private static IEnumerable<string> Files(JsonElement library, string kind) =>
        library.TryGetProperty(kind, out var files)
            ? files.EnumerateObject().Select(f => f.Name).Where(f => !f.EndsWith("_._", StringComparison.Ordinal))
            : [];
}
