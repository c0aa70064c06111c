using System.Collections.Concurrent;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Decoded and resized pictures, kept in memory until half a GiB is full; later ones are decoded each time.
/// </summary>
internal sealed class ResizedPictures(AlphaColour over)
{
    private const long MaxBytes = 512L << 20;

    private readonly ConcurrentDictionary<(string Path, PictureSize Size), RgbImage> _kept = [];
    private long _bytes;

    public RgbImage Get(string path, PictureSize size)
    {
        if (_kept.TryGetValue((path, size), out var known))
            return known;
        var image = ImageDecoder.LoadResized(path, (_, _) => (size.Width, size.Height), over);
        if (Interlocked.Add(ref _bytes, image.Pixels.Length) <= MaxBytes)
            _kept.TryAdd((path, size), image);
        return image;
    }
}
