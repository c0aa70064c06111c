using System.Buffers.Binary;
using System.IO.Compression;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// Writes charts and painted pictures as PNG with a palette (colour type 3): a third of the size of one with three bytes a pixel. More than
/// 64 colours are replaced by the nearest of the 64 most frequent; in charts those are only shades at edges, photos look poor. Source: PNG
/// specification, third edition.
/// </summary>
internal static class IndexedPng
{
    private const int MostColors = 64;
    private static readonly uint[] CrcTable = [.. Enumerable.Range(0, 256).Select(CrcOf)];

    /// <summary>The content of a PNG file.</summary>
    /// <param name="image">A picture of few colours.</param>
    public static byte[] Encode(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var (palette, indices) = Index(image);
        using var stream = new MemoryStream();
        stream.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), image.Height);
        (header[8], header[9]) = (8, 3);
        WriteChunk(stream, "IHDR"u8, header);
        WriteChunk(stream, "PLTE"u8, palette);
        WriteChunk(stream, "IDAT"u8, Compress(indices, image.Width));
        WriteChunk(stream, "IEND"u8, []);
        return stream.ToArray();
    }

    private static (byte[] Palette, byte[] Indices) Index(RgbImage image)
    {
        var counts = new Dictionary<int, int>();
        int[] colors = [.. Enumerable.Range(0, image.Width * image.Height).Select(i => Color(image, 3 * i))];
        for (int i = 0, run = 1; i < colors.Length; i++, run++)
        {
            if (i + 1 < colors.Length && colors[i + 1] == colors[i])
                continue;
            counts[colors[i]] = counts.GetValueOrDefault(colors[i]) + run;
            run = 0;
        }

        int[] kept =
            [.. counts.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key).Take(MostColors).Select(entry => entry.Key)];
        var places = kept.Select((color, place) => (color, place)).ToDictionary(entry => entry.color, entry => (byte)entry.place);
        foreach (var color in counts.Keys.Where(color => !places.ContainsKey(color)).ToArray())
            places[color] = places[kept.MinBy(other => Distance(color, other))];
        var indices = new byte[colors.Length];
        for (var i = 0; i < indices.Length; i++)
            indices[i] = i > 0 && colors[i] == colors[i - 1] ? indices[i - 1] : places[colors[i]];
        return ([.. kept.SelectMany(color => new[] { (byte)(color >> 16), (byte)(color >> 8), (byte)color })], indices);
    }

    private static int Color(RgbImage image, int at) => (image.Pixels[at] << 16) | (image.Pixels[at + 1] << 8) | image.Pixels[at + 2];

    private static int Distance(int a, int b)
    {
        int red = (a >> 16) - (b >> 16), green = ((a >> 8) & 255) - ((b >> 8) & 255), blue = (a & 255) - (b & 255);
        return (red * red) + (green * green) + (blue * blue);
    }

    // Each row stands after a 0: no filter, as is best for palettes.
    private static byte[] Compress(byte[] indices, int width)
    {
        using var stream = new MemoryStream();
        using (var zlib = new ZLibStream(stream, CompressionLevel.Optimal))
        {
            for (var row = 0; row < indices.Length; row += width)
            {
                zlib.WriteByte(0);
                zlib.Write(indices, row, width);
            }
        }

        return stream.ToArray();
    }

    /// <summary>Writes a chunk of a png file: its length, its type of four letters, its content, its checksum.</summary>
    internal static void WriteChunk(Stream stream, ReadOnlySpan<byte> type, ReadOnlySpan<byte> content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        stream.Write(number);
        stream.Write(type);
        stream.Write(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc(Crc(uint.MaxValue, type), content) ^ uint.MaxValue);
        stream.Write(number);
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> content)
    {
        foreach (var value in content)
            crc = CrcTable[(byte)(crc ^ value)] ^ (crc >> 8);
        return crc;
    }

    private static uint CrcOf(int value)
    {
        var crc = (uint)value;
        for (var bit = 0; bit < 8; bit++)
            crc = (crc & 1) == 1 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
        return crc;
    }
}
