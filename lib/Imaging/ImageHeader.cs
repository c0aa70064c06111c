using System.Buffers.Binary;
using System.IO.Compression;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// Walks the segments of a file for what the codec does not tell: the pixel mode, the orientation (EXIF first, then XMP, as PIL's getexif)
/// and what the codec holds.
/// </summary>
internal readonly record struct ImageHeader(ImageFormat Format, PixelMode Mode, ExifOrientation? Exif, ExifOrientation? Xmp)
{
    /// <summary>
    /// Bytes that the codec holds for each pixel until it has read all of them; 0 where it gives rows as it reads. Lossless WebP: the
    /// pixels. WebP with compressed transparency: its plane twice, of a byte and of four. Progressive JPEG: two for each coefficient.
    /// </summary>
    public double HeldPerPixel { get; private init; }

    private const int AnimationFrame = 16;

    private static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    /// <summary>Reads a file's header; null when the content is none of the known formats.</summary>
    public static ImageHeader? Read(ReadOnlySpan<byte> file)
    {
        if (file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
            return ReadJpeg(file);
        if (file.StartsWith(PngSignature))
            return ReadPng(file[PngSignature.Length..]);
        if (file.Length >= 12 && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WEBP"u8))
            return ReadWebp(file[12..]);
        if (file.StartsWith("BM"u8))
            return new ImageHeader(ImageFormat.Bmp, PixelMode.Rgb, null, null);
        if (file.StartsWith("II*\0"u8) || file.StartsWith("MM\0*"u8))
            return TiffHeader.Read(file) is { } tiff
                ? new ImageHeader(ImageFormat.Tiff, tiff.Mode, tiff.Orientation, null)
                : new ImageHeader(ImageFormat.Tiff, PixelMode.Rgb, null, null);
        return null;
    }

    private static ImageHeader ReadJpeg(ReadOnlySpan<byte> file)
    {
        var header = new ImageHeader(ImageFormat.Jpeg, PixelMode.Rgb, null, null);
        var at = 2;
        while (at + 4 <= file.Length && file[at] == 0xFF)
        {
            var marker = file[at + 1];
            if (marker is 0xFF or 0x01 or (>= 0xD0 and <= 0xD7))
            {
                at += marker == 0xFF ? 1 : 2;
                continue;
            }

            if (marker is 0xDA or 0xD9)
                break;
            var length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
            if (length < 2 || at + 2 + length > file.Length)
                break;
            header = header.WithJpegSegment(marker, file.Slice(at + 4, length - 2));
            at += 2 + length;
        }

        return header;
    }

    private ImageHeader WithJpegSegment(byte marker, ReadOnlySpan<byte> content)
    {
        var xmpName = "http://ns.adobe.com/xap/1.0/\0"u8;
        if (marker == 0xE1 && content.StartsWith("Exif\0\0"u8))
            return this with { Exif = Exif ?? ExifData.Orientation(content) };
        if (marker == 0xE1 && content.StartsWith(xmpName))
            return this with { Xmp = Xmp ?? ExifData.OrientationOfXmp(content[xmpName.Length..]) };
        if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC) && content.Length >= 6)
        {
            return this with
            {
                Mode = content[5] switch { 1 => PixelMode.Gray, 4 => PixelMode.Cmyk, _ => PixelMode.Rgb },
                HeldPerPixel = marker is 0xC2 or 0xC6 or 0xCA or 0xCE ? 2 * Coefficients(content[5..]) : 0,
            };
        }

        return this;
    }

    // A channel has as many coefficients a pixel as its sampling factors have to the largest: 1 + 1/4 + 1/4 with halved colours.
    private static double Coefficients(ReadOnlySpan<byte> channels)
    {
        int samples = 0, across = 1, down = 1;
        for (var at = 2; at < channels.Length && at < 3 * channels[0]; at += 3)
        {
            var (x, y) = (channels[at] >> 4, channels[at] & 15);
            (samples, across, down) = (samples + (x * y), Math.Max(across, x), Math.Max(down, y));
        }

        return (double)samples / (across * down);
    }

    private static ImageHeader ReadPng(ReadOnlySpan<byte> chunks)
    {
        var header = new ImageHeader(ImageFormat.Png, PixelMode.Rgb, null, null);
        while (chunks.Length >= 12)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(chunks);
            if (length > chunks.Length - 12)
                break;
            header = header.WithPngChunk(chunks.Slice(4, 4), chunks.Slice(8, (int)length));
            chunks = chunks[(12 + (int)length)..];
        }

        return header;
    }

    private ImageHeader WithPngChunk(ReadOnlySpan<byte> type, ReadOnlySpan<byte> content)
    {
        if (type.SequenceEqual("IHDR"u8) && content.Length >= 13)
            return this with { Mode = PngMode(content[8], content[9]) };
        if (type.SequenceEqual("eXIf"u8))
            return this with { Exif = ExifData.Orientation(content) ?? Exif };
        if (type.SequenceEqual("iTXt"u8) && content.StartsWith("XML:com.adobe.xmp\0"u8))
            return this with { Xmp = Xmp ?? ExifData.OrientationOfXmp(content) };
        var rawProfile = "Raw profile type exif\0"u8;
        if ((type.SequenceEqual("tEXt"u8) || type.SequenceEqual("zTXt"u8)) && content.StartsWith(rawProfile))
        {
            var text = content[rawProfile.Length..];
            var exif = ExifData.FromRawProfile(type.SequenceEqual("zTXt"u8) ? Inflate(text) : text);
            return this with { Exif = Exif ?? (exif is null ? null : ExifData.Orientation(exif)) };
        }

        return this;
    }

    private static PixelMode PngMode(byte bits, byte colorType) => (bits, colorType) switch
    {
        (16, 0) => PixelMode.Gray16,
        (16, _) => PixelMode.Color16,
        (_, 0) => PixelMode.Gray,
        (_, 3) => PixelMode.Palette,
        (_, 4) => PixelMode.GrayAlpha,
        (_, 6) => PixelMode.RgbAlpha,
        _ => PixelMode.Rgb,
    };

    private static ImageHeader ReadWebp(ReadOnlySpan<byte> chunks)
    {
        var header = new ImageHeader(ImageFormat.Webp, PixelMode.Rgb, null, null);
        while (chunks.Length >= 8)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(chunks[4..]);
            if (length > chunks.Length - 8)
                break;
            var content = chunks.Slice(8, (int)length);
            if (chunks.StartsWith("ANMF"u8) && header.HeldPerPixel == 0 && content.Length > AnimationFrame)
                header = header with { HeldPerPixel = ReadWebp(content[AnimationFrame..]).HeldPerPixel };
            else if (chunks.StartsWith("EXIF"u8))
                header = header with { Exif = header.Exif ?? ExifData.Orientation(content) };
            else if (chunks.StartsWith("XMP "u8))
                header = header with { Xmp = header.Xmp ?? ExifData.OrientationOfXmp(content) };
            else if (chunks.StartsWith("VP8X"u8) && content.Length > 0 && (content[0] & 0x10) != 0)
                header = header with { Mode = PixelMode.RgbAlpha };
            else if (chunks.StartsWith("VP8L"u8))
            {
                var hasAlpha = content.Length > 4 && (content[4] & 0x10) != 0;
                header = header with { Mode = hasAlpha ? PixelMode.RgbAlpha : header.Mode, HeldPerPixel = 4 };
            }
            else if (chunks.StartsWith("ALPH"u8))
                header = header with { HeldPerPixel = content.Length > 0 && (content[0] & 3) == 0 ? 1 : 5 };
            chunks = chunks[Math.Min(8 + (int)length + ((int)length & 1), chunks.Length)..];
        }

        return header;
    }

    /// <summary>
    /// The content of a zTXt chunk after its keyword: one byte for the method, then a zlib stream of at most 1 MiB of text.
    /// </summary>
    private static byte[] Inflate(ReadOnlySpan<byte> content)
    {
        if (content.Length < 2)
            return [];
        try
        {
            using var stream = new ZLibStream(new MemoryStream(content[1..].ToArray()), CompressionMode.Decompress);
            var text = new byte[1 << 20];
            return text[..stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false)];
        }
        catch (InvalidDataException)
        {
            return [];
        }
    }
}
