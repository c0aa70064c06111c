namespace Dreambooth.Lab.Hub;

/// <summary>A repository's files on this machine.</summary>
/// <param name="Folder">The folder that holds them under their own names.</param>
/// <param name="Commit">The commit that they are of.</param>
/// <param name="Files">The files that were asked for, as paths in the repository.</param>
/// <param name="BytesDownloaded">Bytes that came over the network now; 0 when everything was here.</param>
public sealed record HubSnapshot(string Folder, string Commit, IReadOnlyList<string> Files, long BytesDownloaded);
