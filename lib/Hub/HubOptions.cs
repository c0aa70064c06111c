using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Hub;

/// <summary>
/// Which hub is used, where its files are kept, and the time limits of downloads. The environment variables are those that every program of
/// the hub knows, so that files and logins are shared with them.
/// </summary>
public sealed record HubOptions
{
    /// <summary>The hub, default https://huggingface.co. Variable <c>HF_ENDPOINT</c>.</summary>
    public Uri Endpoint { get; init; } = new("https://huggingface.co");

    /// <summary>
    /// The cache of downloaded files, default <c>~/.cache/huggingface/hub</c>. Variables <c>HF_HUB_CACHE</c>, <c>HF_HOME</c>.
    /// </summary>
    public required string CacheFolder { get; init; }

    /// <summary>
    /// The file that <c>hub login</c> keeps the token in, default <c>~/.cache/huggingface/token</c>. Variables <c>HF_TOKEN_PATH</c>,
    /// <c>HF_HOME</c>.
    /// </summary>
    public required string TokenPath { get; init; }

    /// <summary>The token; null (the default): the one in <see cref="TokenPath"/>, if any. Variable <c>HF_TOKEN</c>.</summary>
    public HubToken? Token { get; init; }

    /// <summary>Use only what is cached and make no requests, default false. Variable <c>HF_HUB_OFFLINE</c>.</summary>
    public bool Offline { get; init; }

    /// <summary>Requests at once over all files, at least 1, default 8.</summary>
    public int Connections { get; init; } = 8;

    /// <summary>Parts of one file that are fetched at once, at least 1, default 4.</summary>
    public int RangesPerFile { get; init; } = 4;

    /// <summary>Files that are fetched at once, at least 1, default 4.</summary>
    public int FilesAtOnce { get; init; } = 4;

    /// <summary>Bytes of one part, at least 1, default 8 MiB. Memory of a download is at most this times parts, times files.</summary>
    public int PartBytes { get; init; } = 8 << 20;

    /// <summary>
    /// Retries of a request that received nothing, at least 1, default 6; a connection that was cut after it received something does not
    /// count.
    /// </summary>
    public int MaxRetries { get; init; } = 6;

    /// <summary>Wait before the first new try, default 1 s; doubled each time, unless the hub says how long to wait.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a connection may bring nothing before it counts as cut, default 30 s.</summary>
    public TimeSpan ReadTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Free bytes on the disk of a folder; tests replace this.</summary>
    internal Func<string, long> FreeBytes { get; init; } = folder => new DriveInfo(folder).AvailableFreeSpace;

    /// <summary>Capacity in bytes of the disk of a folder; tests replace this.</summary>
    internal Func<string, long> TotalBytes { get; init; } = folder => new DriveInfo(folder).TotalSize;

    /// <summary>Whether the cache can hold links to files; null: tested.</summary>
    internal bool? Symlinks { get; init; }

    /// <summary>Reads the options from the environment.</summary>
    /// <param name="variable">Gives a variable's value; null for the process's own environment.</param>
    /// <exception cref="LabException">HF_ENDPOINT is no address, or HF_TOKEN no token.</exception>
    public static HubOptions FromEnvironment(Func<string, string?>? variable = null)
    {
        string? Get(string name) => (variable ?? Environment.GetEnvironmentVariable)(name) is { Length: > 0 } value ? value : null;
        string? Folder(string name) => Get(name) is { } path ? Expand(path) : null;
        var cache = Folder("XDG_CACHE_HOME") ?? Path.Combine(UserFolders.Home, ".cache");
        var home = Folder("HF_HOME") ?? Path.Combine(cache, "huggingface");
        var token = Get("HF_TOKEN") ?? Get("HUGGING_FACE_HUB_TOKEN");
        return new HubOptions
        {
            Endpoint = Get("HF_ENDPOINT") is { } endpoint ? ParseEndpoint(endpoint) : new Uri("https://huggingface.co"),
            CacheFolder = Path.GetFullPath(Folder("HF_HUB_CACHE") ?? Folder("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(home, "hub")),
            TokenPath = Path.GetFullPath(Folder("HF_TOKEN_PATH") ?? Path.Combine(home, "token")),
            Token = string.IsNullOrWhiteSpace(token) ? null : HubToken.Parse(token, "HF_TOKEN"),
            Offline = (Get("HF_HUB_OFFLINE") ?? Get("TRANSFORMERS_OFFLINE"))?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE",
        };
    }

    /// <summary>The address of something on the hub.</summary>
    /// <param name="path">Path and query, escaped, without a slash at its beginning.</param>
    internal Uri Address(string path) => new($"{Endpoint.AbsoluteUri.TrimEnd('/')}/{path}");

    /// <summary>Whether the token may go there: the hub's own scheme, host and port; without TLS only on this machine.</summary>
    internal bool MaySeeToken(Uri address) =>
        address.Scheme == Endpoint.Scheme && address.Port == Endpoint.Port
            && string.Equals(address.IdnHost, Endpoint.IdnHost, StringComparison.OrdinalIgnoreCase)
        && (address.Scheme == Uri.UriSchemeHttps || address.IsLoopback);

    private static Uri ParseEndpoint(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "https" or "http" && address.UserInfo.Length == 0
            && address.Query.Length == 0
            ? address
            : throw new LabException(
                "HF_ENDPOINT is no address of a hub; valid is one like https://huggingface.co, without a name, a password or a query.");

    private static string Expand(string path)
    {
        var expanded = Environment.ExpandEnvironmentVariables(path);
        return expanded == "~" || expanded.StartsWith("~/", StringComparison.Ordinal)
            ? UserFolders.Home + expanded[1..]
            : expanded;
    }
}
