using System.Text;

namespace Dreambooth.Lab.Tests.Pipelines;

/// <summary>
/// The texts of a png file, read as its specification says and without the lab's own code: checksums of all chunks, keywords of 1 to 79
/// Latin-1 letters, strict UTF-8.
/// </summary>
internal static class PngTexts
{
    public static Dictionary<string, string> Read(byte[] file)
    {
        Assert.Equal("89504E470D0A1A0A", Convert.ToHexString(file, 0, 8));
        var texts = new Dictionary<string, string>();
        var kinds = new List<string>();
        for (var at = 8; at < file.Length;)
        {
            var length = (file[at] << 24) | (file[at + 1] << 16) | (file[at + 2] << 8) | file[at + 3];
            var kind = Encoding.ASCII.GetString(file, at + 4, 4);
            var content = file[(at + 8)..(at + 8 + length)];
            var check = file[(at + 8 + length)..(at + 12 + length)];
            Assert.Equal(Crc(file.AsSpan(at + 4, length + 4)), (uint)((check[0] << 24) | (check[1] << 16) | (check[2] << 8) | check[3]));
            kinds.Add(kind);
            if (kind is "tEXt" or "iTXt")
            {
                var end = Array.IndexOf(content, (byte)0);
                Assert.InRange(end, 1, 79);
                texts.Add(
                    Encoding.Latin1.GetString(content, 0, end),
                    kind == "tEXt" ? Encoding.Latin1.GetString(content[(end + 1)..]) : International(content[(end + 1)..]));
            }

            at += 12 + length;
        }

        Assert.Equal(("IHDR", "IEND"), (kinds[0], kinds[^1]));
        Assert.Contains("IDAT", kinds);
        return texts;
    }

    // Compression flag and method, language, translated keyword, text.
    private static string International(byte[] content)
    {
        Assert.Equal([0, 0], content[..2]);
        var language = Array.IndexOf(content, (byte)0, 2);
        var keyword = Array.IndexOf(content, (byte)0, language + 1);
        return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(content[(keyword + 1)..]);
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 1 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
        }

        return ~crc;
    }
}
