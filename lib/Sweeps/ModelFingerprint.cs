using System.Globalization;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Sweeps;

/// <summary>Identifies a model in records by names, sizes and times of its files. Hashing a large model would take minutes.</summary>
internal static class ModelFingerprint
{
    /// <summary>The current fingerprint of a model.</summary>
    /// <param name="model">The model's folder, or its one file.</param>
    /// <returns>SHA-256 in hexadecimal.</returns>
    public static string Of(string model)
    {
        var listing = string.Concat((File.Exists(model) ? [model] : Directory.EnumerateFiles(model, "*", SearchOption.AllDirectories))
            .Order(StringComparer.Ordinal)
            .Select(file => (File.ResolveLinkTarget(file, returnFinalTarget: true) as FileInfo) ?? new FileInfo(file))
            .Select(file => string.Create(CultureInfo.InvariantCulture, $"{file.FullName} {file.Length} {file.LastWriteTimeUtc.Ticks}\n")));
        return FileHash.Sha256OfText(listing);
    }
}
