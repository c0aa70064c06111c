namespace Dreambooth.Lab.Hub;

/// <summary>What a check of cached files found.</summary>
/// <param name="Commit">The commit whose files were checked.</param>
/// <param name="Verified">Files whose content is what the hub lists.</param>
/// <param name="Damaged">Files whose content is another.</param>
/// <param name="Unknown">Files whose right content is not known here: copies instead of links, while offline.</param>
public sealed record HubVerification(
    string Commit, IReadOnlyList<string> Verified, IReadOnlyList<string> Damaged, IReadOnlyList<string> Unknown);
