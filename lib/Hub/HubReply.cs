using System.Globalization;
using System.Net;

namespace Dreambooth.Lab.Hub;

/// <summary>An answer whose body is not read yet, after redirects.</summary>
/// <param name="message">The answer.</param>
/// <param name="address">Where it came from in the end.</param>
/// <param name="linked">The hub's own answer where it redirected: its headers speak of the file itself.</param>
internal sealed class HubReply(HttpResponseMessage message, Uri address, HubReply.LinkedHeaders linked) : IDisposable
{
    private Stream? _body;
    private CancellationTokenSource? _limit;

    public HttpResponseMessage Message => message;

    public HttpStatusCode Status => message.StatusCode;

    public Uri Address => address;

    /// <summary>What the hub says that the file is, or null where it does not.</summary>
    public LinkedHeaders Linked => linked;

    public async ValueTask<Stream> BodyAsync(CancellationToken cancellation) =>
        _body ??= await message.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);

    /// <summary>Reads some of the body.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="timeout">How long it may bring nothing.</param>
    /// <param name="cancellation">Ends it; the same for every read of this answer.</param>
    /// <exception cref="TimeoutException">Nothing came for that long; the answer is of no more use.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan timeout, CancellationToken cancellation)
    {
        // One source for all reads: a new one for each would cost as much as the read.
        _limit ??= CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _limit.CancelAfter(timeout);
        try
        {
            return await (await BodyAsync(_limit.Token).ConfigureAwait(false)).ReadAsync(buffer, _limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"nothing came for {timeout.TotalSeconds:0} s");
        }
    }

    public void Dispose()
    {
        _limit?.Dispose();
        _body?.Dispose();
        message.Dispose();
    }

    /// <summary>The first value of a header, or null.</summary>
    public static string? Header(HttpResponseMessage message, string name) =>
        message.Headers.TryGetValues(name, out var values) || message.Content.Headers.TryGetValues(name, out values)
            ? values.FirstOrDefault()
            : null;

    /// <summary>Headers that describe a large file before the redirect to where it is stored.</summary>
    /// <param name="ETag">What its content is.</param>
    /// <param name="Size">Bytes.</param>
    /// <param name="Commit">The commit.</param>
    internal sealed record LinkedHeaders(string? ETag, long? Size, string? Commit)
    {
        /// <summary>Adds what an answer says to what an earlier one said.</summary>
        public LinkedHeaders With(HttpResponseMessage message) => new(
            ETag ?? Normalize(Header(message, "X-Linked-Etag")),
            Size ?? (long.TryParse(Header(message, "X-Linked-Size"), NumberStyles.None, CultureInfo.InvariantCulture, out var size)
                ? size
                : null),
            Commit ?? Header(message, "X-Repo-Commit"));

        private static string? Normalize(string? etag) => etag?.Replace("W/", string.Empty, StringComparison.Ordinal).Trim('"');
    }
}
