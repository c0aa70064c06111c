using System.Collections.Concurrent;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Decoded and resized pictures or masks, kept in memory until half a GiB is full; later ones are decoded each time.
/// </summary>
internal sealed class ResizedPictures(Func<string, PictureSize, RgbImage> load)
{
    private const long MaxBytes = 512L << 20;

    private readonly ConcurrentDictionary<(string Path, PictureSize Size), RgbImage> _kept = [];
    private long _bytes;

    public RgbImage Get(string path, PictureSize size)
    {
        if (_kept.TryGetValue((path, size), out var known))
            return known;
        var image = load(path, size);
        if (Interlocked.Add(ref _bytes, image.Pixels.Length) <= MaxBytes)
            _kept.TryAdd((path, size), image);
        return image;
    }
}
