namespace Dreambooth.Lab.Hub;

/// <summary>What a request is about, for messages.</summary>
/// <param name="Repo">The repository, or null for a request about none.</param>
/// <param name="Revision">The revision, or null.</param>
/// <param name="File">The file, or null.</param>
/// <param name="Writes">Whether something is changed on the hub.</param>
internal sealed record HubCall(RepoId? Repo = null, string? Revision = null, string? File = null, bool Writes = false);
