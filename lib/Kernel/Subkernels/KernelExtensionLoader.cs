using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using Dreambooth.Lab.Kernel.Engine;
using Microsoft.DotNet.Interactive;

namespace Dreambooth.Lab.Kernel.Subkernels;

/// <summary>References packages and assemblies for cells, and loads the kernel extensions that they bring.</summary>
/// <param name="references">What cells are compiled against.</param>
/// <param name="note">Takes a sentence for the reader.</param>
internal sealed class KernelExtensionLoader(ReferenceSet references, Action<string> note)
{
    private readonly HashSet<string> _loaded = [];

    /// <summary>The kernels that extensions extend.</summary>
    public required Func<CompositeKernel> Kernels { get; init; }

    /// <summary>Loads the extensions of assemblies of the host program that cells are compiled against.</summary>
    public async Task LoadOfHostAsync(IEnumerable<string> names)
    {
        foreach (var path in names.Select(ReferenceSet.HostPath).OfType<string>())
            await LoadAsync(path).ConfigureAwait(false);
    }

    /// <summary>References packages that were restored, and loads their extensions.</summary>
    public async Task AddAsync(IReadOnlyList<ResolvedPackageReference> packages)
    {
        foreach (var package in packages)
        {
            foreach (var assembly in package.AssemblyPaths)
                Reference(assembly);
            var native = Path.Combine(package.PackageRoot ?? "", "runtimes", RuntimeInformation.RuntimeIdentifier, "native");
            if (Directory.Exists(native))
                references.AddNativeFolder(native);
        }

        var folders = packages.Select(p => Path.Combine(p.PackageRoot ?? "", "interactive-extensions", "dotnet"));
        foreach (var folder in folders.Where(Directory.Exists))
        {
            foreach (var assembly in Directory.EnumerateFiles(folder, "*.dll"))
            {
                references.AddRuntimeOnly(assembly);
                await LoadAsync(assembly).ConfigureAwait(false);
            }

            var script = new FileInfo(Path.Combine(folder, "extension.dib"));
            if (script.Exists)
                await Kernels().LoadAndRunInteractiveDocument(script).ConfigureAwait(false);
        }
    }

    /// <summary>References an assembly by path and loads its extensions.</summary>
    public async Task AddAsync(string path)
    {
        Reference(path);
        await LoadAsync(path).ConfigureAwait(false);
    }

    private void Reference(string path)
    {
        if (references.Add(path) is { } sentence)
            note(sentence);
    }

    private async Task LoadAsync(string path)
    {
        if (!File.Exists(path) || !_loaded.Add(path) || !MayHoldExtensions(path))
            return;
        var assembly = AssemblyLoadContext.Default.LoadFromAssemblyPath(Path.GetFullPath(path));
        var types = assembly.ExportedTypes.Where(t => t is { IsClass: true, IsAbstract: false });
        foreach (var type in types.Where(typeof(IKernelExtension).IsAssignableFrom))
            await LoadAsync(type).ConfigureAwait(false);
    }

    private async Task LoadAsync(Type extension)
    {
        try
        {
            await ((IKernelExtension)Activator.CreateInstance(extension)!).OnLoadAsync(Kernels()).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var cause = (e as System.Reflection.TargetInvocationException)?.InnerException ?? e;
            throw new KernelException(
                $"The extension {extension.FullName} of {extension.Assembly.GetName().Name} failed: {cause.Message}", cause);
        }
    }

    // Without loading it: most assemblies hold none.
    private static bool MayHoldExtensions(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        if (!file.HasMetadata)
            return false;
        var metadata = file.GetMetadataReader();
        var names = metadata.TypeReferences.Select(handle => metadata.GetString(metadata.GetTypeReference(handle).Name));
        return names.Contains(nameof(IKernelExtension));
    }
}
