namespace Dreambooth.Lab.Hub;

/// <summary>One file of a repository at one commit.</summary>
/// <param name="Path">Its path in the repository, with slashes.</param>
/// <param name="Size">Bytes.</param>
/// <param name="ETag">
/// What its content is, in lower-case hex: the SHA-256 of a large file (64 digits), the git object name of a small one (40 digits). The
/// cache names its blob so.
/// </param>
public sealed record HubFile(string Path, long Size, string ETag);
