using System.Collections.Concurrent;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Decoded pictures with their short side at the resolution, kept in memory until half a GiB is full; later ones are decoded each time.
/// </summary>
internal sealed class ResizedPictures(int resolution)
{
    private const long MaxBytes = 512L << 20;

    private readonly ConcurrentDictionary<string, RgbImage> _kept = new(StringComparer.Ordinal);
    private long _bytes;

    public RgbImage Get(string path)
    {
        if (_kept.TryGetValue(path, out var known))
            return known;
        var image = ImageDecoder.LoadShortSide(path, resolution);
        if (Interlocked.Add(ref _bytes, image.Pixels.Length) <= MaxBytes)
            _kept.TryAdd(path, image);
        return image;
    }
}
