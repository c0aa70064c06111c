namespace Dreambooth.Lab.Tests.Imaging;

/// <summary>
/// Writes lossless WebP files of one colour, some 30 bytes whatever their size (WebP Lossless Bitstream Specification: five simple prefix
/// codes of one symbol each, so that a pixel takes no bit).
/// </summary>
internal static class PlainWebp
{
    public static byte[] Of(int width, int height, byte red = 10, byte green = 20, byte blue = 30, byte alpha = 255)
    {
        var bits = new List<bool>();
        Add(bits, width - 1, 14);
        Add(bits, height - 1, 14);
        Add(bits, alpha == 255 ? 0 : 1, 1);
        Add(bits, 0, 3 + 1 + 1 + 1); // version, no transform, no colour cache, no meta prefix codes
        foreach (var symbol in new[] { green, red, blue, alpha, (byte)0 })
        {
            Add(bits, 0b101, 3); // a simple code, of one symbol, of 8 bits
            Add(bits, symbol, 8);
        }

        byte[] stream = [0x2F, .. bits.Chunk(8).Select(chunk => (byte)chunk.Select((bit, i) => bit ? 1 << i : 0).Sum())];
        if (stream.Length % 2 == 1)
            stream = [.. stream, 0];
        return [.. "RIFF"u8, .. BitConverter.GetBytes(12 + stream.Length), .. "WEBPVP8L"u8, .. BitConverter.GetBytes(stream.Length),
            .. stream];
    }

    private static void Add(List<bool> bits, int value, int count)
    {
        for (var i = 0; i < count; i++)
            bits.Add((value >> i & 1) == 1);
    }
}
