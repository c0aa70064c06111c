namespace Dreambooth.Lab.Hub;

/// <summary>A repository that the cache holds files of.</summary>
/// <param name="Repo">Its name.</param>
/// <param name="Revisions">Commits with files here, each with the branches and tags that mean it.</param>
/// <param name="Bytes">Bytes of whole files.</param>
/// <param name="IncompleteBytes">Bytes of incomplete files; the next download continues there.</param>
/// <param name="Folder">Where they lie.</param>
public sealed record CachedRepo(
    RepoId Repo, IReadOnlyList<(string Commit, IReadOnlyList<string> Names)> Revisions, long Bytes, long IncompleteBytes, string Folder);
