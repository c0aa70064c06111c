using System.Buffers.Binary;
using System.Text;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// A text inside a picture file that says what the picture was made with: a comment segment of a JPEG file, an iTXt chunk of a PNG file.
/// It appears and goes with its picture, and every program reads the picture as before.
/// </summary>
internal static class ImageNote
{
    private const string Mark = "dreambooth-lab";
    private const int LongestJpegNote = ushort.MaxValue - 2 - 16;
    private const byte JpegComment = 0xFE;
    private const byte JpegScan = 0xDA;

    private static readonly byte[] PngSignature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    // Keyword, its end, no compression, method 0, no language, no translated keyword (PNG specification 11.3.4.5).
    private static readonly byte[] PngHead = [.. Encoding.ASCII.GetBytes(Mark), 0, 0, 0, 0, 0];
    private static readonly byte[] JpegHead = Encoding.ASCII.GetBytes(Mark + "\n");

    /// <summary>Writes a picture file with a note, atomically.</summary>
    /// <param name="path">Ends in .png or .jpg.</param>
    /// <param name="image">The picture.</param>
    /// <param name="note">Any text; of one too long for its format (64 KiB in JPEG) none is written.</param>
    /// <param name="parameters">The text under <c>parameters</c> that A1111 and Civitai read; png only, null for none.</param>
    public static void Save(string path, RgbImage image, string note, string? parameters = null)
    {
        var text = Encoding.UTF8.GetBytes(note);
        var isPng = Path.GetExtension(path).Equals(".png", StringComparison.OrdinalIgnoreCase);
        var content = isPng ? WithPngNote(ImageEncoder.EncodePng(image), text, parameters)
            : text.Length <= LongestJpegNote ? WithJpegNote(ImageEncoder.EncodeJpeg(image), text) : ImageEncoder.EncodeJpeg(image);
        AtomicFile.Write(path, stream => stream.Write(content));
    }

    /// <summary>The note of a picture file.</summary>
    /// <param name="file">The whole file.</param>
    /// <returns>Null where there is none.</returns>
    public static string? Read(ReadOnlySpan<byte> file) => file.StartsWith(PngSignature) ? ReadPng(file)
        : file is [0xFF, 0xD8, ..] ? ReadJpeg(file[2..]) : null;

    /// <summary>A text of another program, or of this one for others.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="keyword">Its keyword, such as <c>parameters</c>.</param>
    /// <returns>Null where there is none; png only.</returns>
    public static string? ReadText(ReadOnlySpan<byte> file, string keyword)
    {
        var head = Encoding.ASCII.GetBytes(keyword + "\0");
        foreach (var chunk in PngChunks.Of(file))
        {
            var content = file[chunk.Content];
            if (!content.StartsWith(head))
                continue;
            if (chunk.Kind == "tEXt")
                return Encoding.Latin1.GetString(content[head.Length..]);
            if (chunk.Kind == "iTXt" && PngChunks.InternationalText(content[head.Length..]) is { } text)
                return text;
        }

        return null;
    }

    /// <summary>A png file with another note, or none; its pixels and other chunks stay.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="note">The note; null takes note and parameters out.</param>
    /// <param name="parameters">The text under <c>parameters</c>.</param>
    /// <returns>Null where it is no whole png.</returns>
    public static byte[]? Rewritten(ReadOnlySpan<byte> file, string? note, string parameters)
    {
        using var bare = new MemoryStream();
        bare.Write(PngSignature);
        var last = string.Empty;
        foreach (var (kind, whole, content) in PngChunks.Of(file))
        {
            last = kind;
            if (kind is not ("tEXt" or "iTXt") || !(file[content].StartsWith(PngHead) || file[content].StartsWith("parameters\0"u8)))
                bare.Write(file[whole]);
        }

        if (last != "IEND")
            return null;
        return note is null ? bare.ToArray() : WithPngNote(bare.ToArray(), Encoding.UTF8.GetBytes(note), parameters);
    }

    // After the header, which must be the first chunk: signature, then 25 bytes.
    private static byte[] WithPngNote(byte[] png, byte[] text, string? parameters)
    {
        var after = PngSignature.Length + 25;
        using var file = new MemoryStream();
        file.Write(png.AsSpan(0, after));
        IndexedPng.WriteChunk(file, "iTXt"u8, [.. PngHead, .. text]);
        // As PIL writes it: tEXt holds Latin-1 alone.
        if (parameters is not null && parameters.All(letter => letter <= '\u00ff'))
            IndexedPng.WriteChunk(file, "tEXt"u8, [.. "parameters\0"u8, .. Encoding.Latin1.GetBytes(parameters)]);
        else if (parameters is not null)
            IndexedPng.WriteChunk(file, "iTXt"u8, [.. "parameters\0\0\0\0\0"u8, .. Encoding.UTF8.GetBytes(parameters)]);
        file.Write(png.AsSpan(after));
        return file.ToArray();
    }

    // After the start marker and JFIF's segment, which must be the first.
    private static byte[] WithJpegNote(byte[] jpeg, byte[] text)
    {
        var after = jpeg[3] == 0xE0 ? 4 + BinaryPrimitives.ReadUInt16BigEndian(jpeg.AsSpan(4)) : 2;
        byte[] segment = [0xFF, JpegComment, 0, 0, .. JpegHead, .. text];
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(2), (ushort)(segment.Length - 2));
        return [.. jpeg[..after], .. segment, .. jpeg[after..]];
    }

    private static string? ReadPng(ReadOnlySpan<byte> file)
    {
        foreach (var (kind, _, content) in PngChunks.Of(file))
        {
            if (kind == "iTXt" && file[content].StartsWith(PngHead))
                return Encoding.UTF8.GetString(file[content][PngHead.Length..]);
        }

        return null;
    }

    private static string? ReadJpeg(ReadOnlySpan<byte> rest)
    {
        while (rest.Length >= 4 && rest[0] == 0xFF && rest[1] != JpegScan)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            if (length < 2 || length > rest.Length - 2)
                return null;
            var content = rest[4..(2 + length)];
            if (rest[1] == JpegComment && content.StartsWith(JpegHead))
                return Encoding.UTF8.GetString(content[JpegHead.Length..]);
            rest = rest[(2 + length)..];
        }

        return null;
    }
}
