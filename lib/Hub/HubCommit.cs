namespace Dreambooth.Lab.Hub;

/// <summary>What an upload made.</summary>
/// <param name="Commit">The new commit.</param>
/// <param name="Page">The repository's page.</param>
public sealed record HubCommit(string Commit, Uri Page);
