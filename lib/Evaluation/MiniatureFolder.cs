using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Evaluation;

/// <summary>The folder that a miniature ships in: a manifest lists the size and the SHA-256 of every file.</summary>
internal static class MiniatureFolder
{
    public const string ManifestName = "MANIFEST.json";

    // The photos of the character that the classifier has learned lie beside the model.
    private const string CharacterPhotos = "cat_gmc";

    private static readonly string[] Unlisted = [ManifestName, "README.md"];

    /// <summary>Writes the manifest of all files in a folder; pages for readers are left out.</summary>
    /// <param name="folder">The folder.</param>
    public static void WriteManifest(string folder)
    {
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/'))
            .Where(name => !Unlisted.Contains(name) && !name.StartsWith('.'))
            .Order(StringComparer.Ordinal)
            .Select(name => (Name: name, Path: Path.Combine(folder, name)))
            .Select(file => new MiniatureFile(file.Name, new FileInfo(file.Path).Length, FileHash.Sha256(file.Path)));
        JsonFile.Write(Path.Combine(folder, ManifestName), files.ToArray());
    }

    /// <summary>Checks that a folder holds what its manifest lists, byte for byte.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="LabException">The manifest is missing, or names every file that is missing or changed.</exception>
    public static void Verify(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var manifest = Path.Combine(folder, ManifestName);
        if (!File.Exists(manifest))
            throw new LabException(
                $"There is no {ManifestName} in {folder}, so its files cannot be checked. Restore the folder from the repository.");
        var errors = new List<string>();
        foreach (var file in JsonFile.Read<MiniatureFile[]>(manifest))
        {
            var path = Path.Combine(folder, file.Path);
            if (!File.Exists(path))
                errors.Add($"{file.Path} is missing");
            else if (new FileInfo(path).Length != file.Bytes)
                errors.Add($"{file.Path} has {new FileInfo(path).Length} bytes instead of {file.Bytes}");
            else if (FileHash.Sha256(path) != file.Sha256)
                errors.Add($"{file.Path} has other content than when it was made");
        }

        if (errors.Count > 0)
            throw new LabException($"{folder} is damaged: {string.Join("; ", errors)}. Restore it from the repository.");
    }

    /// <summary>Checks a folder that has a manifest; a folder without one, such as a downloaded model, is left as it is.</summary>
    /// <param name="folder">Any folder, which need not exist.</param>
    /// <exception cref="LabException">Names every file that is missing or changed.</exception>
    public static void VerifyIfListed(string folder)
    {
        if (File.Exists(Path.Combine(folder, ManifestName)))
            Verify(folder);
    }

    /// <summary>The classifier that ships beside a miniature and knows its pictures of one character.</summary>
    /// <param name="model">A model's folder, which need not exist.</param>
    /// <param name="photos">The folder of the subject's photos.</param>
    /// <returns>Its folder; null where the model is no miniature, or the photos are not that character's.</returns>
    public static string? ClassifierOf(string model, string photos) => ClassifierOf(model) is { } classifier
        && RealPath.AreSame(photos, Path.Combine(Path.GetDirectoryName(classifier)!, CharacterPhotos)) ? classifier : null;

    /// <summary>The classifier that ships beside a miniature.</summary>
    /// <param name="model">A model's folder, which need not exist.</param>
    /// <returns>Its folder; null where the model is no miniature.</returns>
    public static string? ClassifierOf(string model)
    {
        var classifier = RealPath.Of(model) + "-classifier";
        return File.Exists(Path.Combine(model, ManifestName)) && Directory.Exists(classifier) ? classifier : null;
    }
}
