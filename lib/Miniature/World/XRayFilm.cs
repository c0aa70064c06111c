using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World;

/// <summary>Turns what is behind an x-rayed subject into a dark blue film.</summary>
internal static class XRayFilm
{
    /// <summary>Changes the surface's pixels in place.</summary>
    public static void Expose(SKSurface surface)
    {
        using var pixels = surface.PeekPixels();
        var span = pixels.GetPixelSpan<byte>();
        for (var i = 0; i < span.Length; i += 4)
        {
            var luma = (0.299f * span[i]) + (0.587f * span[i + 1]) + (0.114f * span[i + 2]);
            span[i] = (byte)(4 + (luma * 0.2f));
            span[i + 1] = (byte)(12 + (luma * 0.34f));
            span[i + 2] = (byte)(30 + (luma * 0.5f));
        }
    }
}
