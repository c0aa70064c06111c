using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Dreambooth.Lab.Training;

/// <summary>
/// A message in the wire format of protocol buffers, field by field. Source: protobuf.dev, "Encoding". Fields with the value 0 may be left
/// out.
/// </summary>
internal sealed class ProtoMessage
{
    private const int VarintType = 0, Fixed64Type = 1, LengthType = 2, Fixed32Type = 5;

    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <summary>The message.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    /// <summary>Adds an int32, int64, bool or enum, not negative.</summary>
    public ProtoMessage Add(int field, long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        Key(field, VarintType);
        Varint((ulong)value);
        return this;
    }

    /// <summary>Adds a double.</summary>
    public ProtoMessage AddDouble(int field, double value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        Key(field, Fixed64Type);
        _bytes.Write(bytes);
        return this;
    }

    /// <summary>Adds a float.</summary>
    public ProtoMessage AddFloat(int field, float value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        Key(field, Fixed32Type);
        _bytes.Write(bytes);
        return this;
    }

    /// <summary>Adds bytes.</summary>
    public ProtoMessage Add(int field, ReadOnlySpan<byte> value)
    {
        Key(field, LengthType);
        Varint((ulong)value.Length);
        _bytes.Write(value);
        return this;
    }

    /// <summary>Adds a text.</summary>
    public ProtoMessage Add(int field, string value) => Add(field, Encoding.UTF8.GetBytes(value));

    /// <summary>Adds a message.</summary>
    public ProtoMessage Add(int field, ProtoMessage value) => Add(field, value.Bytes);

    /// <summary>Adds the fields of another one.</summary>
    public ProtoMessage Join(ProtoMessage other)
    {
        _bytes.Write(other.Bytes);
        return this;
    }

    private void Key(int field, int type) => Varint(((ulong)field << 3) | (uint)type);

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            _bytes.Write([(byte)(value | 0x80)]);
        _bytes.Write([(byte)value]);
    }
}
