namespace Dreambooth.Lab.Foundation;

/// <summary>
/// The cancellation token that long library calls use when the caller passes none: in a notebook, that of the running cell; elsewhere there
/// is none.
/// </summary>
internal static class AmbientCancellation
{
    /// <summary>Returns the caller's token, or null where there is none. Called from any thread.</summary>
    public static Func<CancellationToken>? Source { get; set; }

    /// <summary>The caller's token; one that is never cancelled where there is none.</summary>
    public static CancellationToken Token => Source?.Invoke() ?? CancellationToken.None;

    /// <summary>The token itself, or the ambient one where none was given.</summary>
    /// <param name="given">What a method was called with.</param>
    internal static CancellationToken OrAmbient(this CancellationToken given) => given.CanBeCanceled ? given : Token;
}
