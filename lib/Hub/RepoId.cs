using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Hub;

/// <summary>The name of a repository on the hub: <c>owner/name</c> of a model, <c>datasets/owner/name</c> of a dataset.</summary>
public sealed partial record RepoId
{
    private const string Datasets = "datasets";

    private RepoId(string owner, string name, bool isDataset) => (Owner, Name, IsDataset) = (owner, name, isDataset);

    /// <summary>The user or organisation.</summary>
    public string Owner { get; }

    /// <summary>The repository's own name.</summary>
    public string Name { get; }

    /// <summary>Whether it is a dataset and no model.</summary>
    public bool IsDataset { get; }

    /// <summary>The folder that the cache keeps it in: <c>models--owner--name</c> or <c>datasets--owner--name</c>.</summary>
    public string FolderName => $"{Kinds}--{Owner}--{Name}";

    /// <summary>Where the hub's API has it: <c>models/owner/name</c> or <c>datasets/owner/name</c>.</summary>
    internal string ApiPath => $"{Kinds}/{Owner}/{Name}";

    /// <summary>What it is, in the plural.</summary>
    internal string Kinds => IsDataset ? Datasets : "models";

    // The hub's own rules: letters, digits, '-', '_', '.'; no "--" and no "..", since both have a meaning in paths.
    [GeneratedRegex(@"^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?$", RegexOptions.CultureInvariant)]
    private static partial Regex PartPattern { get; }

    /// <summary>Reads <c>owner/name</c>, or <c>datasets/owner/name</c>.</summary>
    /// <param name="text">What was given.</param>
    /// <exception cref="LabException">It is no name of a repository.</exception>
    public static RepoId Parse(string text) => TryParse(text, out var repo)
        ? repo
        : throw new LabException(
            $"'{text}' is no name of a repository; valid is owner/name, such as stabilityai/stable-diffusion-3.5-medium: letters, digits, "
            + "'-', '_' and '.', without '--' and '..'.");

    /// <summary>Reads <c>owner/name</c>, or <c>datasets/owner/name</c>, if it is valid.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="repo">The name.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out RepoId? repo)
    {
        var parts = text?.Split('/') ?? [];
        var isDataset = parts is [Datasets, _, _];
        parts = isDataset ? parts[1..] : parts;
        repo = parts.Length == 2 && parts.All(IsPart) && !parts[1].EndsWith(".git", StringComparison.OrdinalIgnoreCase)
            ? new RepoId(parts[0], parts[1], isDataset)
            : null;
        return repo is not null;
    }

    /// <summary>Reads the name back from <see cref="FolderName"/>.</summary>
    /// <param name="folder">A folder's name, without its path.</param>
    /// <param name="repo">The name.</param>
    internal static bool TryParseFolder(string folder, [NotNullWhen(true)] out RepoId? repo)
    {
        var parts = folder.Split("--");
        repo = null;
        return parts is ["models", _, _] && TryParse($"{parts[1]}/{parts[2]}", out repo)
            || parts is [Datasets, _, _] && TryParse(string.Join('/', parts), out repo);
    }

    /// <inheritdoc/>
    public override string ToString() => IsDataset ? ApiPath : $"{Owner}/{Name}";

    private static bool IsPart(string part) =>
        PartPattern.IsMatch(part) && !part.Contains("--", StringComparison.Ordinal) && !part.Contains("..", StringComparison.Ordinal);
}
