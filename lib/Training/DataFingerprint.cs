using System.Security.Cryptography;
using System.Text;
using Dreambooth.Lab.Data;

namespace Dreambooth.Lab.Training;

/// <summary>Whether two runs train on the same pictures and prompts.</summary>
internal static class DataFingerprint
{
    /// <summary>SHA-256 over every picture file in the dataset's order and over the prompts, in hexadecimal.</summary>
    public static string Of(DreamBoothDataset dataset)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var path in dataset.DistinctViews.Select(view => view.Path).Distinct(StringComparer.Ordinal))
        {
            using var stream = File.OpenRead(path);
            hash.AppendData(SHA256.HashData(stream));
        }

        foreach (var prompt in dataset.DistinctPrompts)
            hash.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes(prompt)));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
