using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;
using SkiaSharp;

namespace Dreambooth.Lab.Imaging;

/// <summary>A picture file in memory with its codec, which reads the file's bytes where they are.</summary>
internal sealed class OpenPicture : IDisposable
{
    private readonly GCHandle _pinned;
    private readonly SKData _data;

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

        Codec = codec;
        Info = new ImageInfo(
            header.Format, header.Mode, codec.Info.Width, codec.Info.Height, header.Exif ?? header.Xmp ?? ExifOrientation.Upright);
        HeldBytes = (long)(header.HeldPerPixel * codec.Info.Width * codec.Info.Height);
    }

    /// <summary>Decodes it.</summary>
    public SKCodec Codec { get; }

    /// <summary>What it says of itself.</summary>
    public ImageInfo Info { get; }

    /// <summary>What the codec holds until it has read every pixel, in bytes; 0 where it gives rows as it reads.</summary>
    public long HeldBytes { get; }

    /// <summary>The memory of a band, in bytes: half of the usual where the codec holds the picture beside it.</summary>
    public int BandBytes => HeldBytes > 0 ? PictureRows.BandBytes / 2 : PictureRows.BandBytes;

    /// <summary>Opens a picture.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">What error messages call it.</param>
    /// <exception cref="LabException">The content is no picture.</exception>
    public static OpenPicture Of(byte[] file, string name)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Length == 0)
            throw new LabException($"{name} is empty (0 bytes): a jpg, png, webp or bmp picture is expected.");
        var header = ImageHeader.Read(file)
            ?? throw new LabException(UnreadFormat.Describe(file, name) is { } format
                ? $"{name} is {format}."
                : $"{name} is not a picture in one of the formats that are read (jpg, png, webp, bmp).");
        return new OpenPicture(file, name, header);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Codec.Dispose();
        Free();
    }

    private void Free()
    {
        _data.Dispose();
        _pinned.Free();
    }
}
