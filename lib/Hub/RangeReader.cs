using System.Buffers;
using System.Net;
using System.Net.Http.Headers;

namespace Dreambooth.Lab.Hub;

/// <summary>
/// Reads one file of the hub from a position to its end, in order, several parts at once. A cut connection is resumed; the address that the
/// hub redirects to is kept for all parts and requested again when it has expired.
/// </summary>
internal sealed class RangeReader(
    HubHttp http, HubOptions options, HubCall call, HubFile file, Uri address, SemaphoreSlim connections, ProgressMeter meter)
{
    private Uri? _location;

    /// <summary>Receives the file's bytes in order.</summary>
    public delegate void Sink(ReadOnlySpan<byte> bytes);

    /// <summary>Reads from a position to the end.</summary>
    /// <exception cref="HubException">The rest cannot be had; what the sink got is right so far.</exception>
    public async Task CopyAsync(long position, Sink sink, CancellationToken cancellation)
    {
        if (position >= file.Size)
            return;
        var first = await OpenFirstAsync(position, cancellation).ConfigureAwait(false);
        if (first.Status == HttpStatusCode.PartialContent && file.Size - position > options.PartBytes)
            await CopyPartsAsync(position, first, sink, cancellation).ConfigureAwait(false);
        else
            await CopyWholeAsync(position, first, sink, cancellation).ConfigureAwait(false);
    }

    private async Task<HubReply> OpenFirstAsync(long position, CancellationToken cancellation)
    {
        await connections.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await http.TryAsync(call, token => OpenAsync(position, EndOf(position), token), cancellation).ConfigureAwait(false);
        }
        finally
        {
            connections.Release();
        }
    }

    /// <summary>One request for the whole rest: small files, and servers that know no ranges.</summary>
    private async Task CopyWholeAsync(long position, HubReply first, Sink sink, CancellationToken cancellation)
    {
        await connections.WaitAsync(cancellation).ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(options.PartBytes, 1 << 20));
        HubReply? open = first;
        try
        {
            while (position < file.Size)
            {
                var wanted = (int)Math.Min(buffer.Length, file.Size - position);
                var at = position;
                var got = await http.TryAsync(call, async token =>
                {
                    try
                    {
                        open ??= await OpenAsync(at, file.Size, token).ConfigureAwait(false);
                        return await ReadAsync(open, buffer.AsMemory(0, wanted), token).ConfigureAwait(false);
                    }
                    catch
                    {
                        open?.Dispose();
                        open = null;
                        throw;
                    }
                }, cancellation).ConfigureAwait(false);
                sink(buffer.AsSpan(0, got));
                position += got;
            }
        }
        finally
        {
            open?.Dispose();
            ArrayPool<byte>.Shared.Return(buffer);
            connections.Release();
        }
    }

    /// <summary>Parts side by side, given to the sink in order.</summary>
    private async Task CopyPartsAsync(long position, HubReply first, Sink sink, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var parts = new Queue<Task<(byte[] Buffer, int Length)>>();
        HubReply? open = first;
        void Begin()
        {
            while (parts.Count < options.RangesPerFile && position < file.Size)
            {
                parts.Enqueue(FetchAsync(position, (int)(EndOf(position) - position), open, stop.Token));
                (open, position) = (null, EndOf(position));
            }
        }

        try
        {
            for (Begin(); parts.Count > 0;)
            {
                var (buffer, length) = await parts.Dequeue().ConfigureAwait(false);
                try
                {
                    Begin();
                    sink(buffer.AsSpan(0, length));
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            foreach (var part in parts)
                await part.ContinueWith(
                    done => Return(done), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default)
                        .ConfigureAwait(false);
        }
    }

    private static void Return(Task<(byte[] Buffer, int Length)> part)
    {
        if (part.IsCompletedSuccessfully)
            ArrayPool<byte>.Shared.Return(part.Result.Buffer);
        else
            _ = part.Exception;
    }

    private async Task<(byte[] Buffer, int Length)> FetchAsync(long from, int length, HubReply? open, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            await connections.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                for (var filled = 0; filled < length;)
                {
                    var at = filled;
                    filled += await http.TryAsync(call, async token =>
                    {
                        using var reply = Interlocked.Exchange(ref open, null)
                            ?? await OpenAsync(from + at, from + length, token).ConfigureAwait(false);
                        return await FillAsync(reply, buffer.AsMemory(at, length - at), token).ConfigureAwait(false);
                    }, cancellation).ConfigureAwait(false);
                }
            }
            finally
            {
                connections.Release();
            }

            return (buffer, length);
        }
        catch
        {
            open?.Dispose();
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    /// <summary>Reads until the buffer is full or the connection is cut; at least one byte, else it throws.</summary>
    private async ValueTask<int> FillAsync(HubReply reply, Memory<byte> buffer, CancellationToken cancellation)
    {
        var filled = 0;
        try
        {
            while (filled < buffer.Length)
                filled += await ReadAsync(reply, buffer[filled..], cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (filled > 0 && error is IOException or HttpRequestException or TimeoutException)
        {
            // What came is kept; the next request asks for the rest.
        }

        return filled;
    }

    private async ValueTask<int> ReadAsync(HubReply reply, Memory<byte> buffer, CancellationToken cancellation)
    {
        var read = await reply.ReadAsync(buffer, options.ReadTimeout, cancellation).ConfigureAwait(false);
        meter.Arrive(read);
        return read > 0 ? read : throw new IOException("the connection was cut");
    }

    private long EndOf(long position) => Math.Min(position + options.PartBytes, file.Size);

    private async ValueTask<HubReply> OpenAsync(long from, long to, CancellationToken cancellation)
    {
        var known = _location;
        var reply = await http.SendAsync(() =>
        {
            var request = new HttpRequestMessage(HttpMethod.Get, known ?? address);
            if (from > 0 || to < file.Size)
                request.Headers.Range = new RangeHeaderValue(from, to - 1);
            return request;
        }, cancellation).ConfigureAwait(false);
        try
        {
            if (known is not null && !reply.Message.IsSuccessStatusCode)
            {
                // Links to the store expire; the hub gives a new one.
                Interlocked.CompareExchange(ref _location, null, known);
                throw new HubTransientException(reply.Status, $"{reply.Address.Host} answers {(int)reply.Status}", TimeSpan.Zero);
            }

            await http.ThrowIfErrorAsync(reply, call, cancellation).ConfigureAwait(false);
            Check(reply, from);
            if (reply.Address != address)
                _location = reply.Address;
            if (reply.Status == HttpStatusCode.OK && from > 0)
                await SkipAsync(reply, from, cancellation).ConfigureAwait(false);
            return reply;
        }
        catch
        {
            reply.Dispose();
            throw;
        }
    }

    private void Check(HubReply reply, long from)
    {
        var range = reply.Message.Content.Headers.ContentRange;
        var size = reply.Status == HttpStatusCode.PartialContent ? range?.Length : reply.Message.Content.Headers.ContentLength;
        if (reply.Linked.ETag is { } etag && etag != file.ETag)
            throw Other($"its content is another ({SafePath.Show(etag)} instead of {file.ETag})");
        if (size is { } bytes && bytes != file.Size)
        {
            throw Other(
                $"it has {bytes} bytes instead of {file.Size}; a large-file pointer, a proxy or a login page may stand in its place");
        }

        if (reply.Linked.Size is { } linked && linked != file.Size)
            throw Other($"the hub's answer gives it {linked} bytes, its list {file.Size}");
        if (reply.Status == HttpStatusCode.PartialContent && range?.From != from)
            throw Other($"the answer begins at byte {range?.From} instead of {from}");
    }

    private HubException Other(string what) =>
        new(
            HubErrorKind.Damaged,
            $"{file.Path} of {call.Repo} is not what the hub lists: {what}. Check HF_ENDPOINT and the proxy, and run again.");

    private async Task SkipAsync(HubReply reply, long bytes, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            while (bytes > 0)
            {
                var read = await ReadAsync(reply, buffer.AsMemory(0, (int)Math.Min(buffer.Length, bytes)), cancellation)
                    .ConfigureAwait(false);
                meter.Skip(-read);
                bytes -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
