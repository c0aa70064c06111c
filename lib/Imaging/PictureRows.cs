using Dreambooth.Lab.Foundation;
using SkiaSharp;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// The pixels of a picture file, row by row. A large picture is decoded in bands: JPEG in one pass; PNG and WebP restart for each band,
/// since their decoder gives no row before the whole is there, and BMP, whose rows may be stored from the bottom. What the decoder holds
/// all the same: <see cref="ImageHeader.HeldPerPixel"/>.
/// </summary>
internal static class PictureRows
{
    /// <summary>The memory of a band, in bytes: what 67 megapixels take.</summary>
    public const int BandBytes = 256 << 20;

    private const int Margin = 2;

    /// <summary>Takes a row: its place from the top and R, G, B, A of its pixels, unpremultiplied.</summary>
    public delegate void Take(int y, ReadOnlySpan<byte> row);

    /// <summary>Decodes a picture.</summary>
    /// <param name="codec">The picture.</param>
    /// <param name="name">What error messages call it.</param>
    /// <param name="take">Given every row, from the top.</param>
    /// <param name="bandBytes">The most that a band takes, in bytes; a band has two rows at least.</param>
    /// <exception cref="LabException">It is cut off or broken.</exception>
    public static void Read(SKCodec codec, string name, Take take, int bandBytes = BandBytes)
    {
        // Unpremultiplied: a transparent pixel keeps its colour. No colour space: profiles and gamma are left alone.
        var whole = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);

        // WebP can begin in even rows alone; its colours are smoothed over rows, so that a band is decoded with some around it.
        var rows = whole.BytesSize64 <= bandBytes
            ? whole.Height : Math.Min(whole.Height, Math.Max(bandBytes / whole.RowBytes / 2 * 2, 2));
        var margin = rows < whole.Height && codec.EncodedFormat == SKEncodedImageFormat.Webp ? Margin : 0;
        using var band = new SKBitmap(whole.WithSize(whole.Width, rows + (2 * margin)));
        var scans = rows < whole.Height && codec.EncodedFormat == SKEncodedImageFormat.Jpeg;
        if (scans)
            Check(codec.StartScanlineDecode(whole), name);
        for (var top = 0; top < whole.Height; top += rows)
        {
            var (end, first) = (Math.Min(top + rows, whole.Height), Math.Max(top - margin, 0));
            var count = Math.Min(end + margin, whole.Height) - first;
            Check(scans ? Scan(codec, band, count) : Decode(codec, whole, band, first, count), name);
            for (var y = top; y < end; y++)
                take(y, band.GetPixelSpan().Slice((y - first) * band.RowBytes, band.RowBytes));
        }
    }

    private static SKCodecResult Scan(SKCodec codec, SKBitmap band, int count) =>
        codec.GetScanlines(band.GetPixels(), count, band.RowBytes) == count ? SKCodecResult.Success : SKCodecResult.IncompleteInput;

    private static SKCodecResult Decode(SKCodec codec, SKImageInfo whole, SKBitmap band, int top, int count)
    {
        if (count == whole.Height)
            return codec.GetPixels(whole, band.GetPixels());
        if (codec.EncodedFormat == SKEncodedImageFormat.Bmp)
            return ScanFrom(codec, whole, band, top, count);
        var part = new SKCodecOptions(SKRectI.Create(0, top, whole.Width, count));
        if (codec.EncodedFormat == SKEncodedImageFormat.Webp)
            return codec.GetPixels(whole.WithSize(whole.Width, count), band.GetPixels(), band.RowBytes, part);
        var started = codec.StartIncrementalDecode(whole, band.GetPixels(), band.RowBytes, part);
        return started == SKCodecResult.Success ? codec.IncrementalDecode() : started;
    }

    // The rows of one call lie in the picture's order, whichever way the file has them.
    private static SKCodecResult ScanFrom(SKCodec codec, SKImageInfo whole, SKBitmap band, int top, int count)
    {
        var started = codec.StartScanlineDecode(whole);
        if (started != SKCodecResult.Success)
            return started;
        var before = codec.ScanlineOrder == SKCodecScanlineOrder.BottomUp ? whole.Height - top - count : top;
        return before == 0 || codec.SkipScanlines(before) ? Scan(codec, band, count) : SKCodecResult.IncompleteInput;
    }

    private static void Check(SKCodecResult result, string name)
    {
        if (result == SKCodecResult.Success)
            return;
        throw new LabException(result == SKCodecResult.IncompleteInput
            ? $"{name} is cut off: its pixels end before the picture is complete."
            : $"{name} is broken: its pixels cannot be decoded ({result}).");
    }
}
