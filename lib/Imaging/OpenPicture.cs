using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;
using SkiaSharp;

namespace Dreambooth.Lab.Imaging;

/// <summary>A picture file in memory with its codec, which reads the file's bytes where they are.</summary>
internal sealed class OpenPicture : IDisposable
{
    private readonly GCHandle _pinned;
    private readonly SKData? _data;
    private readonly SKCodec? _codec;
    private readonly TiffPicture? _tiff;

    private OpenPicture(TiffPicture tiff, ImageHeader header)
    {
        _tiff = tiff;
        Info = new ImageInfo(header.Format, header.Mode, tiff.Header.Width, tiff.Header.Height, header.Exif ?? ExifOrientation.Upright);
        HeldBytes = tiff.HeldBytes;
    }

    private OpenPicture(byte[] file, string name, ImageHeader header)
    {
        _pinned = GCHandle.Alloc(file, GCHandleType.Pinned);
        _data = SKData.Create(_pinned.AddrOfPinnedObject(), file.Length);
        var codec = SKCodec.Create(_data);
        if (codec is null)
        {
            Free();
            throw new LabException($"{name} starts like a {header.Format} picture, but its header is broken.");
        }

        _codec = codec;
        Info = new ImageInfo(
            header.Format, header.Mode, codec.Info.Width, codec.Info.Height, header.Exif ?? header.Xmp ?? ExifOrientation.Upright);
        HeldBytes = (long)(header.HeldPerPixel * codec.Info.Width * codec.Info.Height);
    }

    /// <summary>Decodes it; a TIFF picture has none.</summary>
    public SKCodec Codec => _codec ?? throw new InvalidOperationException($"{Info.Format} pictures are not decoded by Skia.");

    /// <summary>Whether no pixel can be transparent.</summary>
    public bool IsOpaque => _codec is null
        ? Info.Mode is not (PixelMode.RgbAlpha or PixelMode.GrayAlpha or PixelMode.Color16)
        : _codec.Info.AlphaType == SKAlphaType.Opaque;

    /// <summary>What it says of itself.</summary>
    public ImageInfo Info { get; }

    /// <summary>What the codec holds until it has read every pixel, in bytes; 0 where it gives rows as it reads.</summary>
    public long HeldBytes { get; }

    /// <summary>
    /// The memory of a band, in bytes: half of the usual where the codec holds the picture beside it, or the result is kept; a TIFF
    /// picture's is among <see cref="HeldBytes"/>.
    /// </summary>
    /// <param name="keeps">Whether the whole result is kept.</param>
    public int BandBytes(bool keeps) =>
        _codec is null ? 0 : HeldBytes > 0 || keeps ? PictureRows.BandBytes / 2 : PictureRows.BandBytes;

    /// <summary>Opens a picture.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">What error messages call it.</param>
    /// <exception cref="LabException">The content is no picture.</exception>
    public static OpenPicture Of(byte[] file, string name)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Length == 0)
            throw new LabException($"{name} is empty (0 bytes): a jpg, png, webp, bmp or tiff picture is expected.");
        var header = ImageHeader.Read(file)
            ?? throw new LabException(UnreadFormat.Describe(file, name) is { } format
                ? $"{name} is {format}."
                : $"{name} is not a picture in one of the formats that are read (jpg, png, webp, bmp, tiff).");
        return header.Format == ImageFormat.Tiff
            ? new OpenPicture(TiffPicture.Open(file, name), header)
            : new OpenPicture(file, name, header);
    }

    /// <summary>Decodes it, as <see cref="PictureRows.Read"/> does.</summary>
    /// <param name="name">What error messages call it.</param>
    /// <param name="take">Given every row, from the top.</param>
    /// <param name="keeps">Whether the whole result is kept.</param>
    /// <exception cref="LabException">It is cut off or broken.</exception>
    public void ReadRows(string name, PictureRows.Take take, bool keeps = false)
    {
        if (_codec is null)
            _tiff!.Read(take);
        else
            PictureRows.Read(_codec, name, take, BandBytes(keeps));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _codec?.Dispose();
        _tiff?.Dispose();
        Free();
    }

    private void Free()
    {
        _data?.Dispose();
        if (_pinned.IsAllocated)
            _pinned.Free();
    }
}
