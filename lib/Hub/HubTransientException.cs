using System.Net;

namespace Dreambooth.Lab.Hub;

/// <summary>A transient failure, to be retried: never thrown outside this folder.</summary>
internal sealed class HubTransientException(HttpStatusCode? status, string message, TimeSpan? retryAfter = null) : Exception(message)
{
    /// <summary>The answer's status, or null where there was none.</summary>
    public HttpStatusCode? Status { get; } = status;

    /// <summary>How long the server asks to wait.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
