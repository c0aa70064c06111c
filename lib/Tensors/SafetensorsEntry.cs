using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>Where one tensor lies in a safetensors file and how its bytes are to be read.</summary>
/// <param name="Name">The tensor's key, unique in its file.</param>
/// <param name="DType">The element type as stored, and as loaded when no other is asked for.</param>
/// <param name="Shape">The sizes by axis; empty for a tensor of rank 0. Not to be written to.</param>
/// <param name="Offset">First byte, counted from the start of the file (the header included).</param>
/// <param name="ByteLength">Length in bytes: elements × size of one element.</param>
/// <param name="Float8">
/// The 8-bit format of the stored bytes, or null. <paramref name="DType"/> is bfloat16 then, which holds every value exactly.
/// </param>
public sealed record SafetensorsEntry(string Name, ScalarType DType, long[] Shape, long Offset, long ByteLength, Float8? Float8 = null)
{
    /// <summary>How many elements the tensor holds.</summary>
    public long ElementCount => ByteLength / (Float8 is null ? SafetensorsDType.SizeOf(DType) : 1);

    /// <summary>The tensor as an error message shows it, as in <c>to_q.weight BF16 [48, 48]</c>.</summary>
    public override string ToString() => $"{Name} {Float8?.Name ?? SafetensorsDType.NameOf(DType)} [{string.Join(", ", Shape)}]";
}
