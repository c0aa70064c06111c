namespace Dreambooth.Lab.Hub;

/// <summary>Files to put into a repository of the hub, as one commit.</summary>
/// <param name="Repo">The repository; it is made when there is none.</param>
/// <param name="Files">The files.</param>
/// <param name="Message">The commit's first line.</param>
public sealed record HubUploadRequest(RepoId Repo, IReadOnlyList<HubUploadFile> Files, string Message)
{
    /// <summary>The branch, default main.</summary>
    public string Revision { get; init; } = "main";

    /// <summary>Whether a repository that is made is private, default false; one that is there stays as it is.</summary>
    public bool IsPrivate { get; init; }
}
