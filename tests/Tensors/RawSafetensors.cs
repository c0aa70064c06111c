using System.Buffers.Binary;
using System.Text;

namespace Dreambooth.Lab.Tests.Tensors;

/// <summary>Writes safetensors bytes by hand, right or wrong, independently of the library's writer.</summary>
internal static class RawSafetensors
{
    public static byte[] Bytes(string header, int dataLength, long? statedLength = null)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + text.Length + dataLength];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, statedLength ?? text.Length);
        text.CopyTo(bytes, 8);
        for (var index = 0; index < dataLength; index++)
            bytes[8 + text.Length + index] = (byte)index;
        return bytes;
    }

    public static string Write(string folder, string header, int dataLength, long? statedLength = null)
    {
        var path = Path.Combine(folder, $"{Guid.NewGuid():N}.safetensors");
        File.WriteAllBytes(path, Bytes(header, dataLength, statedLength));
        return path;
    }
}
