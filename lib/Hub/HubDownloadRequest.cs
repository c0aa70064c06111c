namespace Dreambooth.Lab.Hub;

/// <summary>What to download.</summary>
/// <param name="Repo">The repository.</param>
public sealed record HubDownloadRequest(RepoId Repo)
{
    /// <summary>A branch, a tag or a commit, default main.</summary>
    public string Revision { get; init; } = "main";

    /// <summary>The variant of the weights, such as fp16; null (the default): the plain files.</summary>
    public string? Variant { get; init; }

    /// <summary>The folder of the repository that counts as its root; null (the default): the root itself.</summary>
    public string? Subfolder { get; init; }

    /// <summary>Which files are meant where <see cref="Include"/> names none.</summary>
    public HubContent Content { get; init; }

    /// <summary>
    /// Of <see cref="HubContent.Dataset"/>, the folder with the pictures, by its path or the end of it; null (the default): the one that
    /// has any.
    /// </summary>
    public string? Part { get; init; }

    /// <summary>
    /// Names of files, or patterns with <c>*</c> and <c>?</c> (which match slashes too); empty (the default): what <see cref="Content"/>
    /// means.
    /// </summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>Patterns of files that are left out.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];
}
