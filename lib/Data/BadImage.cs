namespace Dreambooth.Lab.Data;

/// <summary>A file of a picture folder that cannot be used.</summary>
/// <param name="Path">The file.</param>
/// <param name="Reason">What is wrong with it and what would be right.</param>
public sealed record BadImage(string Path, string Reason);
