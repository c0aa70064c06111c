using System.Runtime.InteropServices;

namespace Dreambooth.Lab.Imaging;

/// <summary>From the samples of a TIFF picture to R, G, B, A, unpremultiplied.</summary>
/// <param name="header">What the samples mean.</param>
/// <param name="map">Red, green and blue of the palette; null without one.</param>
internal sealed class TiffColours(TiffHeader header, ushort[][]? map)
{
    private readonly int _most = header.Bits >= 8 ? 255 : (1 << header.Bits) - 1;

    // Some programs write palettes of 8 bits.
    private readonly int _shift = map is not null && map.All(part => part.All(value => value < 256)) ? 0 : 8;

    /// <summary>Converts a row.</summary>
    /// <param name="samples">Its samples, a byte or two each.</param>
    /// <param name="rgba">Four bytes a pixel.</param>
    public void Convert(ReadOnlySpan<byte> samples, Span<byte> rgba)
    {
        var wide = header.Bits == 16 ? MemoryMarshal.Cast<byte, ushort>(samples) : [];
        for (int x = 0, at = 0, to = 0; x < header.Width; x++, at += header.Samples, to += 4)
        {
            byte Value(ReadOnlySpan<byte> bytes, ReadOnlySpan<ushort> words, int index) =>
                words.Length > 0 ? (byte)(words[at + index] >> 8) : bytes[at + index];

            var first = Value(samples, wide, 0);
            var pixel = rgba.Slice(to, 4);
            pixel[3] = header.HasAlpha ? Value(samples, wide, header.Colours) : (byte)255;
            if (map is not null)
            {
                for (var channel = 0; channel < 3; channel++)
                    pixel[channel] = (byte)(map[channel][first] >> _shift);
            }
            else if (header.Colours == 1)
                pixel[..3].Fill((byte)((header.Photometric == 0 ? _most - first : first) * 255 / _most));
            else
                (pixel[0], pixel[1], pixel[2]) = (first, Value(samples, wide, 1), Value(samples, wide, 2));
            if (header.IsPremultiplied)
                Divide(pixel);
        }
    }

    private static void Divide(Span<byte> pixel)
    {
        for (var channel = 0; channel < 3 && pixel[3] > 0; channel++)
            pixel[channel] = (byte)Math.Min(255, ((pixel[channel] * 255) + (pixel[3] / 2)) / pixel[3]);
    }
}
