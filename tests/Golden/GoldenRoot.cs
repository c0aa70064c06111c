using System.Text.Json;

namespace Dreambooth.Lab.Tests.Golden;

/// <summary>
/// Where one fixture set is: the folder that an environment variable names, else the one beside the repository, else its small part in
/// <c>tests/fixtures</c>.
/// </summary>
internal sealed class GoldenRoot
{
    /// <summary>Finds the set.</summary>
    /// <param name="variable">The environment variable, as <c>LAB_GOLDEN</c>.</param>
    /// <param name="name">The folder's name in <c>../shared</c> and in <c>tests/fixtures</c>.</param>
    public GoldenRoot(string variable, string name)
    {
        Variable = variable;
        Small = System.IO.Path.Combine(GoldenSet.RepositoryRoot, "tests", "fixtures", name);
        var named = Environment.GetEnvironmentVariable(variable);
        if (!string.IsNullOrEmpty(named) && !HasManifest(named))
            throw new InvalidOperationException($"{variable} names {named}, which holds no manifest.json.");
        var full = string.IsNullOrEmpty(named) ? System.IO.Path.Combine(GoldenSet.RepositoryRoot, "..", "shared", name) : named;
        IsFull = HasManifest(full);
        Path = IsFull ? System.IO.Path.GetFullPath(full) : Small;
        Folders = FoldersOf(Path);
    }

    /// <summary>The variable that names the set.</summary>
    public string Variable { get; }

    /// <summary>The committed small part.</summary>
    public string Small { get; }

    /// <summary>The set in use.</summary>
    public string Path { get; }

    /// <summary>Whether the set in use is a full one; then no case may be skipped.</summary>
    public bool IsFull { get; }

    /// <summary>The folders of the set in use.</summary>
    public IReadOnlyList<string> Folders { get; }

    /// <summary>The folders that a set's manifest lists.</summary>
    public static string[] FoldersOf(string root)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(System.IO.Path.Combine(root, "manifest.json")));
        return [.. document.RootElement.GetProperty("folders").EnumerateArray().Select(folder => folder.GetString()!)];
    }

    private static bool HasManifest(string folder) => File.Exists(System.IO.Path.Combine(folder, "manifest.json"));
}
