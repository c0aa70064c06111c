using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>Where one tensor lies in a safetensors file and how its bytes are to be read.</summary>
/// <param name="Name">The tensor's key, unique in its file.</param>
/// <param name="DType">The element type as stored.</param>
/// <param name="Shape">The sizes by axis; empty for a tensor of rank 0. Not to be written to.</param>
/// <param name="Offset">First byte, counted from the start of the file (the header included).</param>
/// <param name="ByteLength">Length in bytes: elements × size of one element.</param>
public sealed record SafetensorsEntry(string Name, ScalarType DType, long[] Shape, long Offset, long ByteLength)
{
    /// <summary>How many elements the tensor holds.</summary>
    public long ElementCount => ByteLength / SafetensorsDType.SizeOf(DType);

    /// <summary>The tensor as an error message shows it, as in <c>to_q.weight BF16 [48, 48]</c>.</summary>
    public override string ToString() => $"{Name} {SafetensorsDType.NameOf(DType)} [{string.Join(", ", Shape)}]";
}
