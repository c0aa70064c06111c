using System.Text.Json;

namespace Dreambooth.Lab.Tests.Golden;

/// <summary>The manifest of one folder of a fixture set: its files and what stands behind each.</summary>
public sealed class GoldenManifest
{
    private GoldenManifest(string folder, JsonElement root)
    {
        Folder = folder;
        About = root.TryGetProperty("about", out var about) ? about.GetString() ?? "" : "";
        Files = [.. root.GetProperty("files").EnumerateObject().Select(file => new GoldenFile(folder, file.Name, file.Value))];
    }

    /// <summary>The folder's name, as <c>transformer</c>.</summary>
    public string Folder { get; }

    /// <summary>What the folder holds, in the manifest's words.</summary>
    public string About { get; }

    /// <summary>The files in the manifest's order.</summary>
    public IReadOnlyList<GoldenFile> Files { get; }

    /// <summary>
    /// The files that hold expected values, each of which a parity test has to use: those with tensors, or, where a folder
    /// has none of these, all. A model's weights are none.
    /// </summary>
    public IReadOnlyList<GoldenFile> Expectations =>
        Files.Any(file => file.Keys.Count > 0) ? [.. Files.Where(file => file.Keys.Count > 0 && !file.IsModel)] : Files;

    /// <summary>Reads <c>manifest.json</c> of a folder of the set at <paramref name="root"/>.</summary>
    public static GoldenManifest Read(string root, string folder)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(root, folder, "manifest.json")));
        return new GoldenManifest(folder, document.RootElement);
    }
}
