using System.Security.Cryptography;

namespace Dreambooth.Lab.Foundation;

/// <summary>Tells whether files, or texts, are the same.</summary>
internal static class FileHash
{
    /// <summary>SHA-256 of a file, in hexadecimal.</summary>
    /// <param name="path">The file.</param>
    public static string Sha256(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>SHA-256 of a text's UTF-8, in hexadecimal.</summary>
    /// <param name="text">The text.</param>
    public static string Sha256OfText(string text) => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
}
