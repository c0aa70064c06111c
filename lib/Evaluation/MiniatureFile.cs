namespace Dreambooth.Lab.Evaluation;

/// <summary>One file of a shipped folder.</summary>
/// <param name="Path">Its path in the folder, with forward slashes.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its SHA-256, in lower-case hexadecimal.</param>
internal sealed record MiniatureFile(string Path, long Bytes, string Sha256);
