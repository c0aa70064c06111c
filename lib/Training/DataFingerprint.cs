using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary>Whether two runs train on the same pictures and prompts.</summary>
internal static class DataFingerprint
{
    /// <summary>Whether a finished training's folders hold other pictures or prompts than it was trained on.</summary>
    /// <param name="config">The training.</param>
    /// <param name="trainedOn">Its fingerprint.</param>
    /// <returns>
    /// False where it cannot be told, since something cannot be read any more; deleted class pictures are no change, since it needs none.
    /// </returns>
    public static bool HasChanged(DreamBoothConfig config, string trainedOn)
    {
        try
        {
            var options = config.DatasetOptions();
            return PriorPictures.AreMissing(config)
                ? RunRecord.Read(config.OutputDir) is { } run
                    && !run.Pictures.SequenceEqual(RunRecord.PicturesOf(DreamBoothDataset.Load(options.WithoutClasses())))
                : Of(DreamBoothDataset.Load(options)) != trainedOn;
        }
        catch (Exception error) when (error is LabException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>SHA-256 over every picture file in the dataset's order, the files of masks and the prompts, in hexadecimal.</summary>
    public static string Of(DreamBoothDataset dataset)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var path in dataset.Files.Concat(dataset.Masks?.Files ?? []))
        {
            using var stream = File.OpenRead(path);
            hash.AppendData(SHA256.HashData(stream));
        }

        foreach (var prompt in dataset.DistinctPrompts)
            hash.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes(prompt)));
        // What a training of one subject has in its options.
        foreach (var (subject, _, folder) in dataset.Options.Subjects.Count == 0 ? [] : dataset.Subjects)
        {
            var own = new object?[]
            {
                subject.InstancePrompt, subject.ClassPrompt, subject.NumClassImages, subject.Repeats, subject.LossWeight,
                folder.Pictures.Count,
            };
            hash.AppendData(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(own)));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
