using System.Buffers.Binary;
using System.Text;

namespace Dreambooth.Lab.Imaging;

/// <summary>Reads the orientation out of EXIF (a small TIFF file) and XMP blocks; anything malformed counts as absent.</summary>
internal static class ExifData
{
    private const ushort OrientationTag = 0x0112;

    private static ReadOnlySpan<byte> Prefix => "Exif\0\0"u8;

    /// <summary>The orientation in an EXIF block, with or without its "Exif" prefix; null when there is none.</summary>
    public static ExifOrientation? Orientation(ReadOnlySpan<byte> block)
    {
        while (block.StartsWith(Prefix))
            block = block[Prefix.Length..];
        if (block.Length < 8)
            return null;
        var little = block.StartsWith("II"u8);
        if (!little && !block.StartsWith("MM"u8))
            return null;
        var start = UInt32(block[4..], little);
        if (start > block.Length - 2)
            return null;
        var directory = block[(int)start..];
        var count = UInt16(directory, little);
        for (var i = 0; i < count && 2 + 12 * (i + 1) <= directory.Length; i++)
        {
            var entry = directory.Slice(2 + 12 * i, 12);
            if (UInt16(entry, little) == OrientationTag)
                return Valid(Value(entry, little));
        }

        return null;
    }

    /// <summary>The orientation in an XMP packet (tiff:Orientation as attribute or element); null when there is none.</summary>
    public static ExifOrientation? OrientationOfXmp(ReadOnlySpan<byte> packet)
    {
        var name = "tiff:Orientation"u8;
        for (var at = packet.IndexOf(name); at >= 0; at = packet.IndexOf(name))
        {
            packet = packet[(at + name.Length)..];
            var rest = packet.StartsWith("=\""u8) ? packet[2..] : packet.StartsWith(">"u8) ? packet[1..] : default;
            if (rest.Length > 0 && char.IsAsciiDigit((char)rest[0]))
                return Valid((uint)(rest[0] - '0'));
        }

        return null;
    }

    /// <summary>
    /// The bytes in a PNG text "Raw profile type exif": a line break, the name, a length, then hexadecimal lines. Null when malformed.
    /// </summary>
    public static byte[]? FromRawProfile(ReadOnlySpan<byte> text)
    {
        var lines = Encoding.Latin1.GetString(text).Split('\n');
        if (lines.Length < 4)
            return null;
        try
        {
            return Convert.FromHexString(string.Concat(lines.Skip(3).Select(line => line.Trim())));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static uint Value(ReadOnlySpan<byte> entry, bool little) => UInt16(entry[2..], little) switch
    {
        1 => entry[8],
        3 => UInt16(entry[8..], little),
        4 => UInt32(entry[8..], little),
        _ => 0,
    };

    private static ExifOrientation? Valid(uint value) => value is >= 1 and <= 8 ? (ExifOrientation)value : null;

    private static ushort UInt16(ReadOnlySpan<byte> at, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(at) : BinaryPrimitives.ReadUInt16BigEndian(at);

    private static uint UInt32(ReadOnlySpan<byte> at, bool little) =>
        little ? BinaryPrimitives.ReadUInt32LittleEndian(at) : BinaryPrimitives.ReadUInt32BigEndian(at);
}
