using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>
/// A server on this machine that answers as the hub does: model info, file tree in pages, resolve with redirects to a store of another
/// name, ETags, ranges, gated and private repositories, large-file uploads and commits; and whatever faults a test puts in.
/// </summary>
internal sealed partial class LocalHub : IDisposable
{
    private readonly WebApplication _app;

    public LocalHub()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        _app = builder.Build();
        _app.Run(HandleAsync);
        _app.StartAsync().GetAwaiter().GetResult();
        var address = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Endpoint = new Uri($"http://127.0.0.1:{address.Port}");
        Store = new Uri($"http://localhost:{address.Port}");
    }

    /// <summary>The hub's own address.</summary>
    public Uri Endpoint { get; }

    /// <summary>Where large files lie: another host name, which must never see a token.</summary>
    public Uri Store { get; }

    public ConcurrentDictionary<string, LocalRepo> Repos { get; } = new();

    /// <summary>Accounts by token.</summary>
    public Dictionary<string, LocalAccount> Accounts { get; } = new(StringComparer.Ordinal)
    {
        [HubTest.Secret] = new LocalAccount("ada", ["lab"], CanWrite: true),
        [HubTest.ReaderSecret] = new LocalAccount("bob", [], CanWrite: false),
    };

    /// <summary>Every request that came, in order.</summary>
    public ConcurrentQueue<LocalRequest> Requests { get; } = new();

    public ConcurrentBag<LocalFault> Faults { get; } = [];

    /// <summary>Entries of a page of the file tree.</summary>
    public int PageSize { get; set; } = 1000;

    /// <summary>Bytes per second of all answers together, or null for as fast as it goes.</summary>
    public double? BytesPerSecond { get; set; }

    /// <summary>Bytes of bodies sent.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    public LocalRepo Add(string id, params (string Path, LocalContent Content)[] files) => Repos[id] = new LocalRepo(id).Commit(files);

    public int Count(string part) => Requests.Count(request => request.Path.Contains(part, StringComparison.Ordinal));

    public void Dispose()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        try
        {
            _app.StopAsync(limit.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            // Connections that are still open are cut.
        }

        ((IDisposable)_app).Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var request = context.Request;
        Requests.Enqueue(
            new LocalRequest(
                request.Host.Host, request.Method, request.Path + request.QueryString, request.Headers.Authorization.ToString(),
                request.Headers.Range.ToString()));
        var fault = Faults.FirstOrDefault(one => one.Takes(request));
        if (fault?.Status is { } status)
        {
            await RefuseAsync(context, status, fault.ErrorCode, fault.ErrorMessage, fault.RetryAfter);
            return;
        }

        if ((fault?.Body?.Invoke() ?? fault?.Answer) is { } answer)
        {
            await AnswerAsync(context, fault!, answer);
            return;
        }

        if (fault?.Location is { } location)
        {
            context.Response.Redirect(location);
            return;
        }

        var isStore = request.Host.Host == Store.Host;
        if (isStore && request.Headers.Authorization.Count > 0)
            await RefuseAsync(context, 400, null, "Only one auth mechanism allowed");
        else if (request.Method == "GET" && isStore)
            await SendStoredAsync(context, fault);
        else if (request.Method == "GET")
            await ReadAsync(context, fault);
        else
            await WriteAsync(context, isStore);
    }

    private static async Task AnswerAsync(HttpContext context, LocalFault fault, byte[] answer)
    {
        if (fault.NextPage is { } next)
            context.Response.Headers.Link = $"<{next}>; rel=\"next\"";
        context.Response.ContentType = "application/json";
        do
        {
            await context.Response.Body.WriteAsync(answer, context.RequestAborted).AsTask().ContinueWith(_ => { }, TaskScheduler.Default);
        }
        while (fault.Endless && !context.RequestAborted.IsCancellationRequested);
    }

    private async Task ReadAsync(HttpContext context, LocalFault? fault)
    {
        var parts = context.Request.Path.Value!.Trim('/').Split('/');
        if (parts is ["api", "whoami-v2"])
            await WhoAmIAsync(context);
        else if (parts is ["api", "models", _, _, "revision" or "tree", _])
            await ListAsync(context, $"{parts[2]}/{parts[3]}", parts[4], Uri.UnescapeDataString(parts[5]));
        else if (parts is ["api", "datasets", _, _, "revision" or "tree", _])
            await ListAsync(context, string.Join('/', parts[1..4]), parts[4], Uri.UnescapeDataString(parts[5]));
        else if (parts is ["datasets", _, _, "resolve", _, ..])
            await ResolveAsync(
                context, string.Join('/', parts[..3]), Uri.UnescapeDataString(parts[4]), string.Join('/', parts.Skip(5)), fault);
        else if (parts is [_, _, "resolve", _, ..])
            await ResolveAsync(context, $"{parts[0]}/{parts[1]}", Uri.UnescapeDataString(parts[3]), string.Join('/', parts.Skip(4)), fault);
        else
            await RefuseAsync(context, 404, null, "Sorry, we can't find the page you are looking for.");
    }

    private async Task WhoAmIAsync(HttpContext context)
    {
        if (AccountOf(context) is not { } account)
        {
            await RefuseAsync(context, 401, null, "Invalid username or password.");
            return;
        }

        await context.Response.WriteAsJsonAsync(new
        {
            type = "user",
            name = account.Name,
            orgs = account.Organizations.Select(name => new { name }),
            auth = new { accessToken = new { displayName = "lab", role = account.CanWrite ? "write" : "read" } },
        });
    }

    /// <summary>The repository that a request may see, else the refusal is sent.</summary>
    private async Task<LocalRepo?> FindAsync(HttpContext context, string id, bool files)
    {
        var account = AccountOf(context);
        if (context.Request.Headers.Authorization.Count > 0 && account is null)
            await RefuseAsync(context, 401, null, "Invalid credentials in Authorization header");
        else if (!Repos.TryGetValue(id, out var repo) || (repo.Private && account is null))
            await RefuseAsync(context, account is null ? 401 : 404, "RepoNotFound", "Repository not found");
        else if (files && repo.Gated && account is null)
            await RefuseAsync(
                context, 401, "GatedRepo",
                $"Access to model {id} is restricted. You must have access to it and be authenticated to access it. Please log in.");
        else if (files && repo.Gated && !account!.Accepted.Contains(id))
            await RefuseAsync(
                context, 403, "GatedRepo",
                repo.AwaitsReview
                    ? "Your request to access model is awaiting a review from the repo authors."
                    : $"Access to model {id} is restricted and you are not in the authorized list. Visit the page to ask for access.");
        else
            return repo;
        return null;
    }

    private async Task ListAsync(HttpContext context, string id, string what, string revision)
    {
        if (await FindAsync(context, id, files: false) is not { } repo)
            return;
        if (repo.CommitOf(revision) is not { } commit)
        {
            await RefuseAsync(context, 404, "RevisionNotFound", $"Invalid rev id: {revision}");
            return;
        }

        var files = repo.Commits[commit];
        if (what == "revision")
        {
            await context.Response.WriteAsJsonAsync(
                new
                {
                    id,
                    sha = commit,
                    @private = repo.Private,
                    gated = repo.Gated
                    ? (object)"manual"
                    : false,
                    siblings = files.Keys.Select(name => new { rfilename = name })
                });
            return;
        }

        var from = int.Parse(context.Request.Query["cursor"].FirstOrDefault() ?? "0", System.Globalization.CultureInfo.InvariantCulture);
        if (from + PageSize < files.Count)
            context.Response.Headers.Link =
                $"<{Endpoint.AbsoluteUri.TrimEnd('/')}{context.Request.Path}?recursive=true&cursor={from + PageSize}>; rel=\"next\"";
        await context.Response.WriteAsJsonAsync(files.Skip(from).Take(PageSize).Select(entry => entry.Value.IsLarge
            ? (object)new
            {
                type = "file",
                path = entry.Key,
                oid = new string('e',
                40),
                size = entry.Value.Content.Size,
                lfs = new { oid = entry.Value.ETag, size = entry.Value.Content.Size, pointerSize = 135 }
            }
            : new { type = "file", path = entry.Key, oid = entry.Value.ETag, size = entry.Value.Content.Size })
            .Prepend(new { type = "directory", path = "transformer", oid = new string('d', 40), size = 0 }));
    }

    private async Task ResolveAsync(HttpContext context, string id, string revision, string path, LocalFault? fault)
    {
        if (await FindAsync(context, id, files: true) is not { } repo)
            return;
        if (repo.CommitOf(revision) is not { } commit)
            await RefuseAsync(context, 404, "RevisionNotFound", "Invalid rev id");
        else if (!repo.Commits[commit].TryGetValue(path, out var file))
            await RefuseAsync(context, 404, "EntryNotFound", "Entry not found");
        else if (file.IsLarge)
        {
            context.Response.Headers["X-Repo-Commit"] = commit;
            context.Response.Headers["X-Linked-ETag"] = $"\"{file.ETag}\"";
            context.Response.Headers["X-Linked-Size"] = (fault?.LinkedSize ?? file.Content.Size).ToString(
                System.Globalization.CultureInfo.InvariantCulture);
            context.Response.Headers["X-Xet-Hash"] = new string('a', 64);
            context.Response.Redirect($"{Store.AbsoluteUri}store/{file.ETag}?signature=for-one-hour");
        }
        else
        {
            context.Response.Headers["X-Repo-Commit"] = commit;
            context.Response.Headers.ETag = $"\"{file.ETag}\"";
            await SendAsync(context, file.Content, fault);
        }
    }

    private LocalAccount? AccountOf(HttpContext context) =>
        context.Request.Headers.Authorization.ToString() is var header && header.StartsWith("Bearer ", StringComparison.Ordinal)
            ? Accounts.GetValueOrDefault(header[7..])
            : null;

    private static async Task RefuseAsync(HttpContext context, int status, string? code, string? message, string? retryAfter = null)
    {
        context.Response.StatusCode = status;
        if (code is not null)
            context.Response.Headers["X-Error-Code"] = code;
        if (code is not null && message is not null)
            context.Response.Headers["X-Error-Message"] = message;
        if (retryAfter is not null)
            context.Response.Headers.RetryAfter = retryAfter;
        await context.Response.WriteAsJsonAsync(new { error = message });
    }
}
