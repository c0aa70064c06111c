namespace Dreambooth.Lab.Foundation;

/// <summary>
/// The cancellation that long library calls heed when they are given none: in a notebook, that of the cell that runs; elsewhere there is
/// none.
/// </summary>
internal static class AmbientCancellation
{
    /// <summary>Tells the caller's token; null where nobody knows one. Called from any thread.</summary>
    public static Func<CancellationToken>? Source { get; set; }

    /// <summary>The caller's token; one that is never cancelled where there is none.</summary>
    public static CancellationToken Token => Source?.Invoke() ?? CancellationToken.None;

    /// <summary>The token itself, or the ambient one where none was given.</summary>
    /// <param name="given">What a method was called with.</param>
    internal static CancellationToken OrAmbient(this CancellationToken given) => given.CanBeCanceled ? given : Token;
}
