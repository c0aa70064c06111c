using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>
/// Makes the anonymous types of a compiled cell public: code that knows the cell from its metadata alone can use their members.
/// </summary>
internal static class AnonymousTypes
{
    /// <summary>Changes the assembly in place.</summary>
    /// <param name="image">The assembly's bytes.</param>
    public static void MakePublic(byte[] image)
    {
        using var file = new PEReader(new MemoryStream(image, writable: false));
        var metadata = file.GetMetadataReader();
        var table = file.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(TableIndex.TypeDef);
        var size = metadata.GetTableRowSize(TableIndex.TypeDef);
        foreach (var handle in metadata.TypeDefinitions)
        {
            var type = metadata.GetTypeDefinition(handle);
            if (!metadata.GetString(type.Name).StartsWith("<>f__AnonymousType", StringComparison.Ordinal))
                continue;
            // Flags are the first column of a row.
            var row = image.AsSpan(table + ((MetadataTokens.GetRowNumber(handle) - 1) * size));
            BinaryPrimitives.WriteInt32LittleEndian(row, (int)(type.Attributes | TypeAttributes.Public));
        }
    }
}
