namespace Dreambooth.Lab.Hub;

/// <summary>A model repository at one revision.</summary>
/// <param name="Repo">Its name.</param>
/// <param name="Commit">The commit that the revision means, 40 hex digits.</param>
/// <param name="IsGated">Whether a licence must be accepted before files can be read.</param>
/// <param name="Files">Every file.</param>
public sealed record HubModelInfo(RepoId Repo, string Commit, bool IsGated, IReadOnlyList<HubFile> Files);
