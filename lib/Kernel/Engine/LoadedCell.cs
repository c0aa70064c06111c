using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Microsoft.CodeAnalysis;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>A cell's assembly in this process.</summary>
/// <param name="name">The name of the assembly and of the class that holds the cell's top-level variables.</param>
/// <param name="type">That class.</param>
/// <param name="image">The assembly's bytes.</param>
internal sealed class LoadedCell(string name, Type type, byte[] image)
{
    private MetadataReference? _reference;
    private IReadOnlyList<string>? _needs;

    /// <summary>The name of the assembly and of the class that holds the cell's top-level variables.</summary>
    public string Name => name;

    /// <summary>The class that holds the cell's top-level variables.</summary>
    public Type Type => type;

    /// <summary>The cell's object; null until the cell has begun to run.</summary>
    public object? Instance { get; set; }

    /// <summary>The assembly as a reference for the compiler.</summary>
    public MetadataReference Reference => _reference ??= MetadataReference.CreateFromImage(ImmutableArray.Create(image));

    /// <summary>The names of the assemblies that it was compiled against.</summary>
    public IReadOnlyList<string> Needs => _needs ??= ReadNeeds();

    private List<string> ReadNeeds()
    {
        using var file = new PEReader(ImmutableArray.Create(image));
        var metadata = file.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
    }
}
