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
    /// <exception cref="LabException">The content is no picture, or broken.</exception>
    public static RgbImage Decode(byte[] file, string name)
    {
        using var codec = Open(file, name, out var header);
        var info = Info(codec, header);
        if ((long)info.StoredWidth * info.StoredHeight > MaxPixels)
            throw new LabException($"{name}: {info.StoredWidth}x{info.StoredHeight} pixels are more than the {MaxPixels} that are decoded.");
        var image = new RgbImage(info.StoredWidth, info.StoredHeight);
        using var bitmap = DecodePixels(codec, name);
        for (var y = 0; y < image.Height; y++)
            CopyRow(bitmap.GetPixelSpan().Slice(y * bitmap.RowBytes, bitmap.RowBytes), image.Row(y));

        return ImageTransforms.Orient(image, info.Orientation);
    }

    private static byte[] ReadFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            return File.ReadAllBytes(path);
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
            ?? throw new LabException($"{name} is not a picture in one of the formats that are read (jpg, png, webp, bmp).");
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
}
