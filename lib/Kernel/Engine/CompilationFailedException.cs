using Microsoft.CodeAnalysis;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>A cell does not compile. The message lists every error with its line, the source and a mark under it.</summary>
/// <param name="errors">The errors, in order.</param>
/// <param name="text">All of them as text.</param>
internal sealed class CompilationFailedException(IReadOnlyList<Diagnostic> errors, string text) : KernelException(text)
{
    /// <summary>The errors, in order.</summary>
    public IReadOnlyList<Diagnostic> Errors { get; } = errors;
}
