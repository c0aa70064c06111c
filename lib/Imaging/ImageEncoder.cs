using Dreambooth.Lab.Foundation;
using SkiaSharp;

namespace Dreambooth.Lab.Imaging;

/// <summary>Writes pictures as png (lossless) or jpeg.</summary>
public static class ImageEncoder
{
    /// <summary>The JPEG quality where none is given.</summary>
    public const int DefaultQuality = 95;

    /// <summary>Writes a picture file atomically; the folder is created when missing.</summary>
    /// <param name="path">Ends in .png, .jpg or .jpeg, which decides the format; an existing file is replaced.</param>
    /// <param name="image">Any picture.</param>
    /// <param name="quality">JPEG quality, 1 … 100; png has none.</param>
    /// <exception cref="LabException">The name ends otherwise, or the quality is out of range.</exception>
    public static void Save(string path, RgbImage image, int quality = DefaultQuality)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var content = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".png" => EncodePng(image),
            ".jpg" or ".jpeg" => EncodeJpeg(image, quality),
            var other => throw new LabException($"{path}: pictures are written as .png, .jpg or .jpeg, not as \"{other}\"."),
        };
        AtomicFile.Write(path, stream => stream.Write(content));
    }

    /// <summary>The picture as the content of a png file.</summary>
    /// <param name="image">Any picture.</param>
    public static byte[] EncodePng(RgbImage image) => Encode(image, SKEncodedImageFormat.Png, 100);

    /// <summary>The picture as the content of a jpeg file.</summary>
    /// <param name="image">Any picture.</param>
    /// <param name="quality">1 … 100.</param>
    /// <exception cref="LabException">The quality is out of range.</exception>
    public static byte[] EncodeJpeg(RgbImage image, int quality = DefaultQuality) => quality is >= 1 and <= 100
        ? Encode(image, SKEncodedImageFormat.Jpeg, quality)
        : throw new LabException($"A JPEG quality of {quality} is not possible: it lies in 1 … 100.");

    /// <summary>The picture as the content of a WebP file, with loss.</summary>
    /// <param name="image">Any picture.</param>
    /// <param name="quality">1 … 100.</param>
    /// <exception cref="LabException">The quality is out of range.</exception>
    public static byte[] EncodeWebp(RgbImage image, int quality = DefaultQuality) => quality is >= 1 and <= 100
        ? Encode(image, SKEncodedImageFormat.Webp, quality)
        : throw new LabException($"A WebP quality of {quality} is not possible: it lies in 1 … 100.");

    private static byte[] Encode(RgbImage image, SKEncodedImageFormat format, int quality)
    {
        using var bitmap = ToBitmap(image);
        using var data = bitmap.Encode(format, quality);
        return data.ToArray();
    }

    /// <summary>A copy as an opaque RGBA bitmap; the caller disposes it.</summary>
    internal static SKBitmap ToBitmap(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (var y = 0; y < image.Height; y++)
        {
            var from = image.Row(y);
            var to = bitmap.GetPixelSpan().Slice(y * bitmap.RowBytes, 4 * image.Width);
            for (int source = 0, target = 0; source < from.Length; source += 3, target += 4)
            {
                from.Slice(source, 3).CopyTo(to[target..]);
                to[target + 3] = 255;
            }
        }

        return bitmap;
    }

    /// <summary>A copy of an RGBA bitmap without its alpha.</summary>
    internal static RgbImage FromBitmap(SKBitmap bitmap)
    {
        var image = new RgbImage(bitmap.Width, bitmap.Height);
        for (var y = 0; y < image.Height; y++)
        {
            var from = bitmap.GetPixelSpan().Slice(y * bitmap.RowBytes, 4 * image.Width);
            var to = image.Row(y);
            for (int source = 0, target = 0; target < to.Length; source += 4, target += 3)
                from.Slice(source, 3).CopyTo(to[target..]);
        }

        return image;
    }
}
