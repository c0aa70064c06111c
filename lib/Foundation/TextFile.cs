using System.Text;

namespace Dreambooth.Lab.Foundation;

/// <summary>
/// Reads text that people write: captions, prompts, recipes. UTF-8 with or without a byte order mark, UTF-16 and UTF-32 with one; anything
/// else is rejected, not misread.
/// </summary>
internal static class TextFile
{
    /// <summary>The largest file that is read where nothing else is said, in bytes.</summary>
    public const int MostBytes = 16 << 20;

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The file; a pipe will do.</param>
    /// <param name="what">What it is, with a capital letter, as "The prompt file"; for messages.</param>
    /// <param name="mostBytes">The largest file that is read.</param>
    /// <returns>Its text, without a byte order mark.</returns>
    /// <exception cref="LabException">It is missing, too large, or not in one of these encodings; the message names it.</exception>
    public static string Read(string path, string what, int mostBytes = MostBytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            return Decode(Content(path, what, mostBytes), $"{what} {path}", path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{what} {path} cannot be read: {error.Message}", error);
        }
    }

    // The file's length is not used: pipes have none.
    private static byte[] Content(string path, string what, int mostBytes)
    {
        if (Directory.Exists(path))
            throw new IOException("It is a folder, and a file is needed.");
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var content = new MemoryStream();
        var buffer = new byte[1 << 16];
        while (file.Read(buffer) is var read and > 0)
        {
            content.Write(buffer, 0, read);
            if (content.Length > mostBytes)
                throw new LabException($"{what} {path} is too large: at most {ByteSize.Text(mostBytes)} are read.");
        }

        return content.ToArray();
    }

    private static string Decode(byte[] content, string name, string path)
    {
        var (encoding, mark) = Encoding(content);
        var at = -1;
        try
        {
            var text = encoding.GetString(content, mark, content.Length - mark);
            at = text.IndexOf('\0', StringComparison.Ordinal);
            if (at < 0)
                return text;
            at = Array.IndexOf(content, (byte)0, mark);
        }
        catch (DecoderFallbackException error)
        {
            at = Math.Clamp(error.Index + mark, 0, content.Length - 1);
        }

        var likely = Array.IndexOf(content, (byte)0, mark) is var zero and >= 0 ? zero % 2 == 1 ? "UTF-16LE" : "UTF-16BE" : "WINDOWS-1252";
        throw new LabException(
            $"{name} is not UTF-8 text: byte 0x{content[at]:X2} in line {1 + content.AsSpan(0, at).Count((byte)'\n')}. Save it as UTF-8, "
            + $"or convert it from what it is saved in (GBK, WINDOWS-1252, UTF-16LE, ...): "
            + $"iconv -f {likely} -t UTF-8 \"{path}\" > converted.txt");
    }

    private static (Encoding Encoding, int Mark) Encoding(ReadOnlySpan<byte> content) => content switch
    {
        [0xEF, 0xBB, 0xBF, ..] => (new UTF8Encoding(false, throwOnInvalidBytes: true), 3),
        [0xFF, 0xFE, 0, 0, ..] => (new UTF32Encoding(false, true, throwOnInvalidCharacters: true), 4),
        [0, 0, 0xFE, 0xFF, ..] => (new UTF32Encoding(true, true, throwOnInvalidCharacters: true), 4),
        [0xFF, 0xFE, ..] => (new UnicodeEncoding(false, true, throwOnInvalidBytes: true), 2),
        [0xFE, 0xFF, ..] => (new UnicodeEncoding(true, true, throwOnInvalidBytes: true), 2),
        _ => (new UTF8Encoding(false, throwOnInvalidBytes: true), 0),
    };
}
