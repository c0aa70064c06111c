using System.Runtime.Intrinsics;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// Reads jpg, png, webp, bmp and tiff files to upright RGB pictures, with the pixels that PIL's
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

    /// <summary>
    /// The most memory, in bytes, of a codec that reads the whole picture before its first row: 134 megapixels of lossless WebP.
    /// </summary>
    internal const long MostHeld = 512L << 20;

    /// <summary>
    /// The most memory, in bytes, of decoding a picture that is kept whole: 178 megapixels, or 76 of lossless WebP. What is learned from is
    /// resized row by row and not kept.
    /// </summary>
    internal const long MostKept = 640L << 20;

    // 16 megapixels in less than 3.3 KB hold no photo: JPEG of one colour takes 1 byte for some 100 pixels.
    private const long BlankPixels = 1 << 24;
    private const long BlankPart = 5_000;

    private delegate void Copy(ReadOnlySpan<byte> rgba, Span<byte> rgb);

    /// <summary>Reads a picture file.</summary>
    /// <param name="path">A jpg, png, webp, bmp or tiff file; the content decides, not the name.</param>
    /// <returns>The upright picture.</returns>
    /// <exception cref="LabException">The file is missing, no picture, or broken; the message names it.</exception>
    public static RgbImage Load(string path) => WithFile(path, file => Decode(file, path));

    /// <summary>Reads the header of a picture file; its pixels are not decoded.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">What error messages call it.</param>
    /// <exception cref="LabException">The content is no picture.</exception>
    public static ImageInfo ReadInfo(byte[] file, string name)
    {
        using var picture = OpenPicture.Of(file, name);
        return picture.Info;
    }

    /// <summary>Decodes the content of a picture file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">What error messages call it.</param>
    /// <returns>The upright picture.</returns>
    /// <exception cref="LabException">The content is no picture, too large, or broken.</exception>
    public static RgbImage Decode(byte[] file, string name) => Decode(file, name, CopyRow);

    /// <summary>Reads a picture file as a picture to learn from or to show: what is transparent is laid over white.</summary>
    /// <param name="path">A jpg, png, webp, bmp or tiff file.</param>
    /// <returns>The upright picture.</returns>
    /// <exception cref="LabException">The file is missing, no picture, too large, or broken; the message names it.</exception>
    internal static RgbImage LoadOverWhite(string path) => WithFile(path, file => Decode(file, path, CopyRowOverWhite));

    /// <summary>Reads how transparent a picture file's pixels are: white where nothing of a pixel is seen, black where all is.</summary>
    /// <param name="path">A jpg, png, webp, bmp or tiff file.</param>
    /// <exception cref="LabException">The file is missing, no picture, too large, or broken; the message names it.</exception>
    internal static RgbImage LoadTransparency(string path) => WithFile(path, file => Decode(file, path, CopyTransparency));

    /// <summary>
    /// Reads a picture file as <see cref="LoadOverWhite"/> and resizes it as <see cref="ImageResizer.Resize"/>, row by row: the large
    /// picture is not kept.
    /// </summary>
    /// <param name="path">A jpg, png, webp, bmp or tiff file.</param>
    /// <param name="sizeOf">Given width and height of the upright picture, those of the result.</param>
    /// <param name="over">What transparent pixels are laid over; null for white.</param>
    /// <exception cref="LabException">The file is missing, no picture, too large, or broken; the message names it.</exception>
    internal static RgbImage LoadResized(
        string path, Func<int, int, (int Width, int Height)> sizeOf, AlphaColour? over = null) => WithFile(path, file =>
    {
        var colour = over ?? AlphaColour.White;
        using var picture = OpenPicture.Of(file, path);
        var info = picture.Info;
        return DecodeBudget.Pixels.Run(CheckedBytes(picture, file.Length, path, keeps: false), () =>
        {
            var (width, height) = sizeOf(info.Width, info.Height);
            var resizer = new RowResizer(info.StoredWidth, info.StoredHeight, info.Orientation, width, height);
            var rgb = new byte[3 * info.StoredWidth];
            picture.ReadRows(path, (y, row) =>
            {
                CopyRowOver(colour, row, rgb);
                resizer.Add(y, rgb);
            });
            return resizer.Finish();
        });
    });

    /// <summary>Reads a picture file as <see cref="LoadResized"/> does, with the shorter side of a given size.</summary>
    /// <param name="path">A jpg, png, webp, bmp or tiff file.</param>
    /// <param name="size">Pixels of the shorter side of the result, at least 1.</param>
    /// <exception cref="LabException">The file is missing, no picture, too large, or broken; the message names it.</exception>
    internal static RgbImage LoadShortSide(string path, int size) =>
        LoadResized(path, (width, height) => ImageResizer.ShortSideTo(width, height, size));

    /// <summary>Decodes a file to check that it is complete; no picture is kept.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">What error messages call it.</param>
    /// <returns>Whether a pixel is transparent.</returns>
    /// <exception cref="LabException">The content is no picture, too large, or broken.</exception>
    internal static bool Examine(byte[] file, string name)
    {
        using var picture = OpenPicture.Of(file, name);
        return DecodeBudget.Pixels.Run(CheckedBytes(picture, file.Length, name, keeps: false), () =>
        {
            var isTransparent = false;
            var isOpaque = picture.IsOpaque;
            picture.ReadRows(name, (_, row) => isTransparent = isTransparent || (!isOpaque && IsTransparent(row)));
            return isTransparent;
        });
    }

    private static RgbImage Decode(byte[] file, string name, Copy copy)
    {
        using var picture = OpenPicture.Of(file, name);
        var info = picture.Info;
        return DecodeBudget.Pixels.Run(CheckedBytes(picture, file.Length, name, keeps: true), () =>
        {
            var upright = new UprightPicture(info.StoredWidth, info.StoredHeight, info.Orientation);
            picture.ReadRows(
                name, (y, row) =>
                {
                    copy(row, upright.Row(y));
                    upright.Place(y);
                }, keeps: true);
            return upright.Image;
        });
    }

    // What decoding takes: what the codec holds, a band of its result at four bytes a pixel, three in a picture that is kept.
    private static long CheckedBytes(OpenPicture picture, long length, string name, bool keeps)
    {
        var info = picture.Info;
        var pixels = (long)info.StoredWidth * info.StoredHeight;
        var size = $"{info.StoredWidth}x{info.StoredHeight}";
        if (pixels > MaxPixels)
            throw new LabException($"{name} has {size} pixels, more than the {MaxPixels} that are decoded. Make it smaller.");
        if (pixels > BlankPixels && pixels > BlankPart * length)
            throw new LabException(
                $"{name} has {size} pixels in {ByteSize.Text(length)}: one plain area, or an attack. It is not decoded.");
        var (band, kept) = (Math.Min(4 * pixels, picture.BandBytes(keeps)), keeps ? 3 * pixels : 0);
        if (picture.HeldBytes > MostHeld || picture.HeldBytes + band + kept > MostKept)
        {
            var most = Math.Floor(Math.Min(
                (double)MostHeld / picture.HeldBytes, (double)(MostKept - band) / (picture.HeldBytes + kept)) * pixels / 1e6);
            throw new LabException(
                $"{name} is a {info.Format} picture of {size} pixels that cannot be decoded in parts: it would take "
                + $"{ByteSize.Text(picture.HeldBytes + band + kept)} at once. " + (info.Format == ImageFormat.Tiff
                    ? "Save it in smaller strips or tiles, or as PNG."
                    : $"Of its kind at most {most} megapixels are decoded. Make it smaller, or save it as PNG."));
        }

        return picture.HeldBytes + band + kept;
    }

    /// <summary>Reads a picture's file and does something with its content, which counts in the memory that all decoders share.</summary>
    /// <typeparam name="T">What is made of it.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="work">What is done.</param>
    /// <exception cref="LabException">It is missing, or too large.</exception>
    internal static T WithFile<T>(string path, Func<byte[], T> work)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var length = new FileInfo(path) is { Exists: true } file ? file.Length : 0;
        return DecodeBudget.Files.Run(Math.Min(length, MaxBytes), () => work(ReadFile(path)));
    }

    /// <summary>The content of a picture's file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="LabException">It is missing, or too large.</exception>
    private static byte[] ReadFile(string path)
    {
        try
        {
            RegularFile.Require(path);
            return new FileInfo(path) is { Exists: true, Length: > MaxBytes } large
                ? throw new LabException($"{path} has {ByteSize.Text(large.Length)}; at most {ByteSize.Text(MaxBytes)} are read.")
                : File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"The picture {path} cannot be read: {error.Message}", error);
        }
    }

    // Four pixels at a time: 16 bytes are written and the last 4 of them overwritten, so the last pixels are left to the plain loop.
    private static void CopyRow(ReadOnlySpan<byte> rgba, Span<byte> rgb)
    {
        int from = 0, to = 0;
        var colours = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
        for (; Vector128.IsHardwareAccelerated && to + 16 <= rgb.Length; from += 16, to += 12)
            Vector128.Shuffle(Vector128.Create(rgba[from..]), colours).CopyTo(rgb[to..]);
        for (; to < rgb.Length; from += 4, to += 3)
        {
            rgb[to] = rgba[from];
            rgb[to + 1] = rgba[from + 1];
            rgb[to + 2] = rgba[from + 2];
        }
    }

    private static void CopyRowOverWhite(ReadOnlySpan<byte> rgba, Span<byte> rgb) => CopyRowOver(AlphaColour.White, rgba, rgb);

    private static void CopyRowOver(AlphaColour colour, ReadOnlySpan<byte> rgba, Span<byte> rgb)
    {
        ReadOnlySpan<byte> under = [colour.Red, colour.Green, colour.Blue];
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
        {
            var alpha = rgba[from + 3];
            for (var channel = 0; channel < 3; channel++)
                rgb[to + channel] = (byte)(((rgba[from + channel] * alpha) + (under[channel] * (255 - alpha)) + 127) / 255);
        }
    }

    private static void CopyTransparency(ReadOnlySpan<byte> rgba, Span<byte> rgb)
    {
        for (int from = 3, to = 0; to < rgb.Length; from += 4, to += 3)
            rgb.Slice(to, 3).Fill((byte)(255 - rgba[from]));
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
