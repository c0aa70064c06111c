using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Hub;

/// <summary>Something with the hub did not work. The message says what, and the next step; it never holds the token.</summary>
internal sealed class HubException : LabException
{
    internal HubException(HubErrorKind kind, string message)
        : base(message) => Kind = kind;

    internal HubException(HubErrorKind kind, string message, Exception inner)
        : base(message, inner) => Kind = kind;

    /// <summary>Why it did not work.</summary>
    public HubErrorKind Kind { get; }
}
