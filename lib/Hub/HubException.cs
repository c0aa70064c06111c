using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Hub;

/// <summary>A hub operation failed. The message says what, and the next step; it never contains the token.</summary>
internal sealed class HubException : LabException
{
    internal HubException(HubErrorKind kind, string message)
        : base(message) => Kind = kind;

    internal HubException(HubErrorKind kind, string message, Exception inner)
        : base(message, inner) => Kind = kind;

    /// <summary>Why it did not work.</summary>
    public HubErrorKind Kind { get; }
}
