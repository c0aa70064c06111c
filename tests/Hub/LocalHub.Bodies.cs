using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Dreambooth.Lab.Tests.Hub;

/// <content>Bodies: ranges, rates, and what goes wrong with them.</content>
internal sealed partial class LocalHub
{
    private readonly Lock _rateLock = new();
    private long _bytesSent;
    private long _freeAt = Stopwatch.GetTimestamp();

    /// <summary>What was uploaded to the store, by hash.</summary>
    public System.Collections.Concurrent.ConcurrentDictionary<string, byte[]> Uploaded { get; } = new();

    /// <summary>What is waited for before anything is sent from the store; null: nothing.</summary>
    public Func<Task>? BeforeStored { get; set; }

    private async Task SendStoredAsync(HttpContext context, LocalFault? fault)
    {
        if (BeforeStored is { } wait)
            await wait();
        var etag = context.Request.Path.Value!.Split('/')[^1];
        var file = Repos.Values.SelectMany(repo => repo.Commits.Values).SelectMany(files => files.Values)
            .FirstOrDefault(one => one.IsLarge && one.ETag == etag);
        if (file is null)
            await RefuseAsync(context, 404, null, "NoSuchKey");
        else
            await SendAsync(context, file.Content, fault);
    }

    private async Task SendAsync(HttpContext context, LocalContent content, LocalFault? fault)
    {
        if (fault?.Instead is { } instead)
            content = LocalContent.Of(instead);
        var (from, to) = (0L, content.Size);
        var range = context.Request.Headers.Range.ToString();
        if (range.StartsWith("bytes=", StringComparison.Ordinal) && fault?.IgnoreRange != true)
        {
            var ends = range[6..].Split('-');
            from = long.Parse(ends[0], CultureInfo.InvariantCulture);
            to = ends[1].Length == 0 ? to : Math.Min(to, long.Parse(ends[1], CultureInfo.InvariantCulture) + 1);
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{to - 1}/{content.Size}";
        }

        context.Response.ContentLength = to - from;
        var buffer = new byte[256 << 10];
        for (var sent = 0L; from < to;)
        {
            var stop = fault?.CutAfter ?? fault?.StallAfter;
            var length = (int)Math.Min(Math.Min(buffer.Length, to - from), stop is { } limit ? limit - sent : long.MaxValue);
            if (length <= 0)
            {
                await context.Response.Body.FlushAsync();
                if (fault!.StallAfter is not null)
                    await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                context.Abort();
                return;
            }

            content.Read(from, buffer.AsSpan(0, length));
            if (fault?.Damage == true)
                buffer[0] ^= 1;
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, length), context.RequestAborted);
            await PaceAsync(length);
            (from, sent) = (from + length, sent + length);
            Interlocked.Add(ref _bytesSent, length);
        }
    }

    private async Task PaceAsync(int bytes)
    {
        if (BytesPerSecond is not { } rate)
            return;
        double ahead;
        lock (_rateLock)
        {
            var now = Stopwatch.GetTimestamp();
            _freeAt = Math.Max(_freeAt, now) + (long)(bytes / rate * Stopwatch.Frequency);
            ahead = Stopwatch.GetElapsedTime(now, _freeAt).TotalMilliseconds;
        }

        if (ahead >= 4)
            await Task.Delay((int)ahead);
    }

    private static async Task<byte[]> BodyAsync(HttpContext context)
    {
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer);
        return buffer.ToArray();
    }

    private static async Task<string> TextAsync(HttpContext context) => Encoding.UTF8.GetString(await BodyAsync(context));
}
