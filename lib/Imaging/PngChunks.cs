using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Dreambooth.Lab.Imaging;

/// <summary>Where the chunks of a png file lie (PNG specification 5.3).</summary>
internal static class PngChunks
{
    private const int Signature = 8;
    private const int Around = 12;
    private const int MostText = 16 << 20;

    /// <summary>Finds them, up to the first that is not whole.</summary>
    /// <param name="file">The whole file.</param>
    /// <returns>The kind, the range of the whole chunk and of its content; none where it is no png.</returns>
    public static IReadOnlyList<(string Kind, Range Whole, Range Content)> Of(ReadOnlySpan<byte> file)
    {
        var chunks = new List<(string, Range, Range)>();
        if (file.Length < Signature || file[0] != 0x89 || file[1] != (byte)'P')
            return chunks;
        for (var at = Signature; file.Length - at >= Around;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file[at..]);
            if (length > (uint)(file.Length - at - Around))
                break;
            var end = at + Around + (int)length;
            chunks.Add((Encoding.ASCII.GetString(file.Slice(at + 4, 4)), at..end, (at + 8)..(end - 4)));
            at = end;
        }

        return chunks;
    }

    /// <summary>The text of an iTXt chunk (11.3.4.5).</summary>
    /// <param name="content">What follows the keyword and its end.</param>
    /// <returns>Null where it is malformed.</returns>
    public static string? InternationalText(ReadOnlySpan<byte> content)
    {
        if (content.Length < 4)
            return null;
        var isCompressed = content[0] == 1;
        var rest = content[2..];
        for (var i = 0; i < 2; i++)
        {
            var end = rest.IndexOf((byte)0);
            if (end < 0)
                return null;
            rest = rest[(end + 1)..];
        }

        return isCompressed ? Inflated(rest) : Encoding.UTF8.GetString(rest);
    }

    private static string? Inflated(ReadOnlySpan<byte> compressed)
    {
        try
        {
            using var stream = new ZLibStream(new MemoryStream(compressed.ToArray()), CompressionMode.Decompress);
            using var text = new MemoryStream();
            var buffer = new byte[1 << 16];
            for (int count; (count = stream.Read(buffer)) > 0 && text.Length < MostText;)
                text.Write(buffer, 0, count);
            return Encoding.UTF8.GetString(text.ToArray());
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
