using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Dreambooth.Lab.Sweeps;

/// <summary>What stands for a model folder in records: names, sizes and times of its files. Reading a large model's content would take minutes.</summary>
public static class ModelFingerprint
{
    /// <summary>The fingerprint of a folder as it is now.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <returns>SHA-256 in hexadecimal.</returns>
    public static string Of(string folder)
    {
        var listing = string.Concat(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(file => (File.ResolveLinkTarget(file, returnFinalTarget: true) as FileInfo) ?? new FileInfo(file))
            .Select(file => string.Create(CultureInfo.InvariantCulture, $"{file.FullName} {file.Length} {file.LastWriteTimeUtc.Ticks}\n")));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(listing)));
    }
}
