namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>A cell that failed.</summary>
/// <param name="Cell">Its number among the code cells, from 1.</param>
/// <param name="Source">Its text.</param>
/// <param name="Message">The error with its stack trace, or that it took too long, or how the kernel's process ended.</param>
public sealed record RunFailure(int Cell, string Source, string Message);
