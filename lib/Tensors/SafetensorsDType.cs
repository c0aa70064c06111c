using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>
/// The element types that are read and written, with their names in the safetensors format. The order here is the one in
/// which writers lay tensors out: later entries of the published format's list come first, wide types before narrow ones.
/// </summary>
internal static class SafetensorsDType
{
    private static readonly (string Name, ScalarType Type, int Size)[] Known =
    [
        ("I64", ScalarType.Int64, 8),
        ("F64", ScalarType.Float64, 8),
        ("F32", ScalarType.Float32, 4),
        ("I32", ScalarType.Int32, 4),
        ("BF16", ScalarType.BFloat16, 2),
        ("F16", ScalarType.Float16, 2),
        ("I16", ScalarType.Int16, 2),
        ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1),
        ("BOOL", ScalarType.Bool, 1),
    ];

    /// <summary>The names that are understood, for error messages.</summary>
    public static string Names { get; } = string.Join(", ", Known.Select(known => known.Name));

    /// <summary>Finds the element type that a file's header names.</summary>
    public static bool TryParse(string name, out ScalarType type)
    {
        foreach (var known in Known)
        {
            if (known.Name != name)
                continue;
            type = known.Type;
            return true;
        }

        type = default;
        return false;
    }

    /// <summary>Bytes of one element.</summary>
    public static int SizeOf(ScalarType type) => Known[LayoutRank(type)].Size;

    /// <summary>The name in the file format.</summary>
    public static string NameOf(ScalarType type) => Known[LayoutRank(type)].Name;

    /// <summary>Whether the format and this reader know the element type.</summary>
    public static bool IsKnown(ScalarType type) => Array.Exists(Known, known => known.Type == type);

    /// <summary>Position in the layout: tensors of a lower rank are written first.</summary>
    public static int LayoutRank(ScalarType type)
    {
        var rank = Array.FindIndex(Known, known => known.Type == type);
        return rank >= 0 ? rank : throw new ArgumentOutOfRangeException(nameof(type), type, $"no safetensors type; known are {Names}");
    }
}
