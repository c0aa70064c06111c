using System.Net;
using System.Net.Http.Headers;
using Dreambooth.Lab.Foundation;
using Polly;
using Polly.Retry;

namespace Dreambooth.Lab.Hub;

/// <summary>
/// Requests to the hub: redirects are followed explicitly, so that the token reaches only the hub's own host; transient errors are retried
/// after the wait that the server asks for. Certificates are checked as usual, and the system's proxies are used.
/// </summary>
internal sealed class HubHttp : IDisposable
{
    private const int MostRedirects = 10;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    private readonly HubOptions _options;
    private readonly HubToken? _token;
    private readonly HttpClient _client;
    private readonly ResiliencePipeline _retry;

    public HubHttp(HubOptions options, HubToken? token, Action<string> warn)
    {
        (_options, _token) = (options, token);
        Errors = new HubErrors(options, token);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = options.ReadTimeout,
            Proxy = new PastLoopbackProxy(HttpClient.DefaultProxy),
        };
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.UserAgent.Add(
            new ProductInfoHeaderValue("dreambooth-lab", typeof(HubHttp).Assembly.GetName().Version?.ToString(3)));
        _client.DefaultRequestHeaders.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        _retry = new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = options.MaxRetries,
            Delay = options.RetryDelay,
            MaxDelay = LongestWait,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldHandle = arguments => ValueTask.FromResult(MayPass(arguments.Outcome.Exception)),
            DelayGenerator = arguments => ValueTask.FromResult((arguments.Outcome.Exception as HubTransientException)?.RetryAfter),
            OnRetry = arguments =>
            {
                if (arguments.RetryDelay >= TimeSpan.FromSeconds(5))
                    warn($"{HubErrors.Describe(arguments.Outcome.Exception!)}; trying again in {arguments.RetryDelay.TotalSeconds:0} s.");
                return ValueTask.CompletedTask;
            },
        }).Build();
    }

    public HubErrors Errors { get; }

    public void Dispose() => _client.Dispose();

    /// <summary>Runs a hub operation, with retries.</summary>
    /// <exception cref="HubException">It did not help, or it is an error that stays.</exception>
    public async Task<T> TryAsync<T>(HubCall call, Func<CancellationToken, ValueTask<T>> request, CancellationToken cancellation)
    {
        try
        {
            return await _retry.ExecuteAsync(request, cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (error is HubTransientException or HttpRequestException or IOException or TimeoutException)
        {
            throw Errors.GivenUp(error, call);
        }
    }

    /// <summary>Asks for JSON.</summary>
    public async Task<(JsonField Json, Uri? Next)> GetJsonAsync(Uri address, HubCall call, CancellationToken cancellation)
    {
        return await TryAsync(call, async token =>
        {
            using var reply = await SendAsync(() => new HttpRequestMessage(HttpMethod.Get, address), token).ConfigureAwait(false);
            return (await ReadJsonAsync(reply, call, token).ConfigureAwait(false), NextPage(reply));
        }, cancellation).ConfigureAwait(false);
    }

    /// <summary>Sends a request and reads the JSON response.</summary>
    /// <param name="create">Makes the request, once per try.</param>
    /// <param name="call">What it is about.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<JsonField> SendForJsonAsync(Func<HttpRequestMessage> create, HubCall call, CancellationToken cancellation) =>
        await TryAsync(call, async token =>
        {
            using var reply = await SendAsync(create, token).ConfigureAwait(false);
            return await ReadJsonAsync(reply, call, token).ConfigureAwait(false);
        }, cancellation).ConfigureAwait(false);

    /// <summary>Sends a request once and follows redirects; the answer may be an error that stays.</summary>
    /// <param name="create">Makes the request, once per redirect.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="HubTransientException">Another try may help.</exception>
    public async Task<HubReply> SendAsync(Func<HttpRequestMessage> create, CancellationToken cancellation)
    {
        var linked = new HubReply.LinkedHeaders(null, null, null);
        Uri? redirected = null;
        for (var hop = 0; hop <= MostRedirects; hop++)
        {
            using var request = create();
            var address = request.RequestUri = redirected ?? request.RequestUri!;
            if (_token is not null && _options.MaySeeToken(address))
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token.Value);
            var message = await SendOnceAsync(request, cancellation).ConfigureAwait(false);
            linked = linked.With(message);
            if (Redirect(message, address) is not { } next)
                return Transient(message, address) ?? new HubReply(message, address, linked);
            message.Dispose();
            redirected = next;
        }

        throw new HubException(
            HubErrorKind.Unsafe, $"The hub at {_options.Endpoint.Host} redirects in a circle. Check HF_ENDPOINT and the proxy.");
    }

    /// <summary>Throws the error that an answer is, if it is one.</summary>
    public async Task ThrowIfErrorAsync(HubReply reply, HubCall call, CancellationToken cancellation)
    {
        if (!reply.Message.IsSuccessStatusCode)
            throw await Errors.FromAsync(reply, call, cancellation).ConfigureAwait(false);
    }

    private async Task<JsonField> ReadJsonAsync(HubReply reply, HubCall call, CancellationToken cancellation)
    {
        await ThrowIfErrorAsync(reply, call, cancellation).ConfigureAwait(false);
        using var limit = Limit(cancellation);
        try
        {
            var bytes = await ReadBodyAsync(reply, limit.Token).ConfigureAwait(false);
            return JsonField.Parse(
                bytes.GetBuffer().AsSpan(0, (int)bytes.Length),
                $"The answer of {reply.Address.Host} to {ShownText.Line(reply.Address.AbsolutePath)}");
        }
        catch (LabException error) when (error is not HubException)
        {
            throw new HubException(
                HubErrorKind.Refused,
                $"{reply.Address.Host} does not answer as the hub does (no JSON). {error.Message} Check HF_ENDPOINT, and whether a proxy "
                + "or a login page of the network stands between.", error);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException("the answer stopped coming");
        }
    }

    // An answer may have no end.
    private static async Task<MemoryStream> ReadBodyAsync(HubReply reply, CancellationToken cancellation)
    {
        var bytes = new MemoryStream();
        var body = await reply.BodyAsync(cancellation).ConfigureAwait(false);
        var buffer = new byte[1 << 16];
        for (int read; (read = await body.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0;)
        {
            if (bytes.Length + read > JsonField.MostBytes)
                throw new HubException(
                    HubErrorKind.Refused,
                    $"{reply.Address.Host} does not answer as the hub does: its answer to {ShownText.Line(reply.Address.AbsolutePath)} has "
                    + $"more than {ByteSize.Text(JsonField.MostBytes)}. Check HF_ENDPOINT.");
            bytes.Write(buffer, 0, read);
        }

        return bytes;
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        // Only the start of a response has a time limit, not its body.
        using var limit = request.Content is null ? Limit(cancellation) : CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"{request.RequestUri!.Host} did not answer for {_options.ReadTimeout.TotalSeconds:0} s");
        }
    }

    private CancellationTokenSource Limit(CancellationToken cancellation)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_options.ReadTimeout);
        return limit;
    }

    private static Uri? Redirect(HttpResponseMessage message, Uri address)
    {
        if ((int)message.StatusCode is not (301 or 302 or 303 or 307 or 308) || message.Headers.Location is not { } location)
            return null;
        return !Uri.TryCreate(address, location, out var next)
            ? throw new HubException(HubErrorKind.Unsafe, $"{address.Host} redirects to what is no address; that is not followed.")
            : next.Scheme == Uri.UriSchemeHttps || (next.Scheme == Uri.UriSchemeHttp && address.Scheme == Uri.UriSchemeHttp)
            ? next
            : throw new HubException(HubErrorKind.Unsafe, $"{address.Host} redirects from https to {next.Scheme}; that is not followed.");
    }

    private static HubReply? Transient(HttpResponseMessage message, Uri address)
    {
        if (message.StatusCode is not (HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests) && (int)message.StatusCode < 500)
            return null;
        var wait = message.Headers.RetryAfter?.Delta
            ?? (message.Headers.RetryAfter?.Date is { } date ? date - DateTimeOffset.UtcNow : null);
        var error = new HubTransientException(
            message.StatusCode, $"{address.Host} answers {(int)message.StatusCode}",
            wait is { } time ? TimeSpan.FromTicks(Math.Clamp(time.Ticks, 0, LongestWait.Ticks)) : null);
        message.Dispose();
        throw error;
    }

    private static bool MayPass(Exception? error) => error switch
    {
        HubTransientException or TimeoutException => true,
        HttpRequestException
        {
            HttpRequestError: HttpRequestError.SecureConnectionError or HttpRequestError.UserAuthenticationError
                or HttpRequestError.ConfigurationLimitExceeded
        } => false,
        HttpRequestException or IOException => true,
        _ => false,
    };

    // Long lists come in pages: Link: <address>; rel="next".
    private Uri? NextPage(HubReply reply)
    {
        var link = HubReply.Header(reply.Message, "Link");
        if (link is null || !link.Contains("rel=\"next\"", StringComparison.Ordinal)
            || link.IndexOf('<') is var from && link.IndexOf('>') <= from)
            return null;
        return Uri.TryCreate(reply.Address, link[(from + 1)..link.IndexOf('>')], out var next) && next.Host == _options.Endpoint.Host
            && next.Port == _options.Endpoint.Port ? next : null;
    }
}
