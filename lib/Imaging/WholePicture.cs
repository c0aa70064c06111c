using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Imaging;

/// <summary>Detects a picture file that was cut short, by a full disk or an interrupted copy.</summary>
internal static class WholePicture
{
    private static readonly byte[] PngEnd = [0, 0, 0, 0, (byte)'I', (byte)'E', (byte)'N', (byte)'D', 0xAE, 0x42, 0x60, 0x82];

    /// <summary>Reads a picture.</summary>
    /// <param name="path">Its file; may be missing.</param>
    /// <returns>The picture and its file's content; null where it is missing, damaged, or not there to its end.</returns>
    public static (RgbImage Image, byte[] Content)? Load(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            return ImageDecoder.WithFile<(RgbImage, byte[])?>(path, content =>
            {
                var image = ImageDecoder.Decode(content, path);
                var isPng = ImageDecoder.ReadInfo(content, path).Format == ImageFormat.Png;
                return !isPng || content.AsSpan().EndsWith(PngEnd) ? (image, content) : null;
            });
        }
        catch (Exception error) when (error is LabException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
