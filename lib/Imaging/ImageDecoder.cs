using Dreambooth.Lab.Foundation;
using SkiaSharp;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// Reads jpg, png, webp and bmp files to upright RGB pictures, with the pixels that PIL's
/// <c>exif_transpose(Image.open(path)).convert("RGB")</c> gives: transparency is dropped and not laid over a colour, palettes and gray
/// are spread to three channels, colour profiles are not applied. PNG, lossless WebP and BMP are exact; JPEG is within 2 levels (in all
/// pictures measured it is exact). 16 bits a channel keep their high byte; with gray of 16 bits PIL clips at 255 instead, which turns
/// such pictures white.
/// </summary>
public static class ImageDecoder
{
    /// <summary>The largest picture that is decoded, in pixels (the bound above which PIL refuses: twice 1 GiB / 4 / 3).</summary>
    public const long MaxPixels = 2 * (1024L * 1024 * 1024 / 4 / 3);

    /// <summary>The largest picture file that is read, in bytes.</summary>
    internal const int MaxBytes = 256 << 20;

    // 16 megapixels in less than 3.3 KB hold no photo: JPEG of one colour takes 1 byte for some 100 pixels.
    private const long BlankPixels = 1 << 24;
    private const long BlankPart = 5_000;

    /// <summary>Reads a picture file.</summary>
    /// <param name="path">A jpg, png, webp or bmp file; the content decides, not the name.</param>
    /// <returns>The upright picture.</returns>
    /// <exception cref="LabException">The file is missing, no picture, or broken; the message names it.</exception>
    public static RgbImage Load(string path) => Decode(ReadFile(path), path);

    /// <summary>Reads what a picture file says of itself; its pixels are not decoded.</summary>
    /// <param name="path">A jpg, png, webp or bmp file.</param>
    /// <exception cref="LabException">The file is missing, or no picture; the message names it.</exception>
    public static ImageInfo ReadInfo(string path) => ReadInfo(ReadFile(path), path);

    /// <summary>Reads what the content of a picture file says of itself; its pixels are not decoded.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">What error messages call it.</param>
    /// <exception cref="LabException">The content is no picture.</exception>
    public static ImageInfo ReadInfo(byte[] file, string name)
    {
        using var codec = Open(file, name, out var header);
        return Info(codec, header);
    }

    /// <summary>Decodes the content of a picture file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">What error messages call it.</param>
    /// <returns>The upright picture.</returns>
    /// <exception cref="LabException">The content is no picture, too large, or broken.</exception>
    public static RgbImage Decode(byte[] file, string name) => Decode(file, name, overWhite: false);

    /// <summary>Reads a picture file as a picture to learn from or to show: what is transparent is laid over white.</summary>
    /// <param name="path">A jpg, png, webp or bmp file.</param>
    /// <returns>The upright picture.</returns>
    /// <exception cref="LabException">The file is missing, no picture, too large, or broken; the message names it.</exception>
    internal static RgbImage LoadOverWhite(string path) => Decode(ReadFile(path), path, overWhite: true);

    /// <summary>Decodes a file to see that it is whole; no picture is kept.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">What error messages call it.</param>
    /// <returns>Whether a pixel is transparent.</returns>
    /// <exception cref="LabException">The content is no picture, too large, or broken.</exception>
    internal static bool Examine(byte[] file, string name)
    {
        using var codec = Open(file, name, out var header);
        var info = Info(codec, header);
        return DecodeBudget.Shared.Run(CheckedBytes(info, file.Length, name), () =>
        {
            using var bitmap = DecodePixels(codec, name);
            return codec.Info.AlphaType != SKAlphaType.Opaque && IsTransparent(bitmap.GetPixelSpan());
        });
    }

    private static RgbImage Decode(byte[] file, string name, bool overWhite)
    {
        using var codec = Open(file, name, out var header);
        var info = Info(codec, header);
        var needed = CheckedBytes(info, file.Length, name);
        return DecodeBudget.Shared.Run(needed, () => ImageTransforms.Orient(DecodeStored(codec, info, name, overWhite), info.Orientation));
    }

    // What decoding takes: four bytes a pixel in the codec and four in its result, and then three in the picture.
    private static long CheckedBytes(ImageInfo info, long length, string name)
    {
        var pixels = (long)info.StoredWidth * info.StoredHeight;
        var size = $"{info.StoredWidth}x{info.StoredHeight}";
        if (pixels > MaxPixels)
            throw new LabException($"{name} has {size} pixels, more than the {MaxPixels} that are decoded. Make it smaller.");
        if (pixels > BlankPixels && pixels > BlankPart * length)
            throw new LabException($"{name} has {size} pixels in {ByteSize.Text(length)}: one plain area, or an attack. It is not decoded.");

        return 8 * pixels;
    }

    private static RgbImage DecodeStored(SKCodec codec, ImageInfo info, string name, bool overWhite)
    {
        using var bitmap = DecodePixels(codec, name);
        var image = new RgbImage(info.StoredWidth, info.StoredHeight);
        for (var y = 0; y < image.Height; y++)
        {
            var row = bitmap.GetPixelSpan().Slice(y * bitmap.RowBytes, bitmap.RowBytes);
            if (overWhite)
                CopyRowOverWhite(row, image.Row(y));
            else
                CopyRow(row, image.Row(y));
        }

        return image;
    }

    /// <summary>The content of a picture's file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="LabException">It is missing, or too large.</exception>
    internal static byte[] ReadFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            return new FileInfo(path) is { Exists: true, Length: > MaxBytes } large
                ? throw new LabException($"{path} has {ByteSize.Text(large.Length)}; at most {ByteSize.Text(MaxBytes)} are read.")
                : File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"The picture {path} cannot be read: {error.Message}", error);
        }
    }

    private static SKCodec Open(byte[] file, string name, out ImageHeader header)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Length == 0)
            throw new LabException($"{name} is empty (0 bytes): a jpg, png, webp or bmp picture is expected.");
        header = ImageHeader.Read(file)
            ?? throw new LabException(UnreadFormat.Describe(file, name) is { } format
                ? $"{name} is {format}."
                : $"{name} is not a picture in one of the formats that are read (jpg, png, webp, bmp).");
        using var data = SKData.CreateCopy(file);
        return SKCodec.Create(data) ?? throw new LabException($"{name} starts like a {header.Format} picture, but its header is broken.");
    }

    private static ImageInfo Info(SKCodec codec, ImageHeader header) =>
        new(header.Format, header.Mode, codec.Info.Width, codec.Info.Height, header.Exif ?? header.Xmp ?? ExifOrientation.Upright);

    private static SKBitmap DecodePixels(SKCodec codec, string name)
    {
        // Unpremultiplied: a transparent pixel keeps its colour. No colour space: profiles and gamma are left alone.
        var layout = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        var bitmap = new SKBitmap(layout);
        var result = codec.GetPixels(layout, bitmap.GetPixels());
        if (result == SKCodecResult.Success)
            return bitmap;
        bitmap.Dispose();
        throw new LabException(result == SKCodecResult.IncompleteInput
            ? $"{name} is cut off: its pixels end before the picture is complete."
            : $"{name} is broken: its pixels cannot be decoded ({result}).");
    }

    private static void CopyRow(ReadOnlySpan<byte> rgba, Span<byte> rgb)
    {
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
        {
            rgb[to] = rgba[from];
            rgb[to + 1] = rgba[from + 1];
            rgb[to + 2] = rgba[from + 2];
        }
    }

    private static void CopyRowOverWhite(ReadOnlySpan<byte> rgba, Span<byte> rgb)
    {
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
        {
            var alpha = rgba[from + 3];
            for (var channel = 0; channel < 3; channel++)
                rgb[to + channel] = (byte)(((rgba[from + channel] * alpha) + (255 * (255 - alpha)) + 127) / 255);
        }
    }

    private static bool IsTransparent(ReadOnlySpan<byte> rgba)
    {
        for (var at = 3; at < rgba.Length; at += 4)
        {
            if (rgba[at] != 255)
                return true;
        }

        return false;
    }
}
