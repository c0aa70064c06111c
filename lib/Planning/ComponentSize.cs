using static TorchSharp.torch;

namespace Dreambooth.Lab.Planning;

/// <summary>How many numbers a model's component holds, by element type. Exact.</summary>
/// <param name="Name">The component's folder, for example <c>transformer</c>.</param>
/// <param name="Parameters">Its numbers, with tables that are not trained (the transformer's positions).</param>
/// <param name="Bytes">Bytes by element type.</param>
public sealed record ComponentSize(string Name, long Parameters, IReadOnlyDictionary<ScalarType, long> Bytes)
{
    /// <summary>Bytes of all element types together.</summary>
    public long TotalBytes => Bytes.Values.Sum();

    /// <summary>The bytes that it would take in one element type.</summary>
    /// <param name="dtype">Float32, Float16 or BFloat16.</param>
    public long BytesAs(ScalarType dtype) => Parameters * ElementSize(dtype);

    /// <summary>Bytes of one number.</summary>
    /// <param name="dtype">Any element type.</param>
    internal static long ElementSize(ScalarType dtype) => Tensors.SafetensorsDType.SizeOf(dtype);
}
