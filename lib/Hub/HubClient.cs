using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Hub;

/// <summary>
/// The Hugging Face hub: downloads into the cache that all its programs share, accounts, uploads. Thread-safe; every error that a user can
/// act on is a <see cref="HubException"/>.
/// </summary>
public sealed class HubClient : IDisposable
{
    private readonly HubHttp _http;
    private readonly ModelApi _api;
    private readonly Action<string> _warn;

    /// <summary>Creates the client; no request is made yet.</summary>
    /// <param name="options">Which hub, which cache; null for what the environment says.</param>
    /// <param name="warn">Receives warnings, one sentence each; may be null.</param>
    /// <exception cref="Foundation.LabException">The environment or the token file is wrong.</exception>
    public HubClient(HubOptions? options = null, Action<string>? warn = null)
    {
        Options = options ?? HubOptions.FromEnvironment();
        Token = HubToken.Find(Options);
        Cache = new HubCache(Options.CacheFolder, Options.Symlinks);
        _warn = warn ?? (_ => { });
        if (Token?.Source == Options.TokenPath && HubToken.Exposure(Options.TokenPath) is { } exposure)
            _warn(exposure);
        _http = new HubHttp(Options, Token, _warn);
        _api = new ModelApi(Options, _http);
    }

    /// <summary>Which hub and which cache.</summary>
    public HubOptions Options { get; }

    /// <summary>The cache.</summary>
    public HubCache Cache { get; }

    /// <summary>The token, or null when no user is logged in.</summary>
    public HubToken? Token { get; }

    /// <summary>Gets the user whose token this is.</summary>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="HubException">Nobody is logged in, the token is not known, or the hub cannot be asked.</exception>
    public Task<HubUser> WhoAmIAsync(CancellationToken cancellation = default)
    {
        if (Token is null)
            throw new HubException(
                HubErrorKind.NotLoggedIn,
                $"Nobody is logged in: neither HF_TOKEN is set nor is there a token in {Options.TokenPath}. `dotnet run "
                + "-- hub login` logs in.");
        ThrowIfOffline("asking who is logged in");
        return _api.WhoAmIAsync(cancellation.OrAmbient());
    }

    /// <summary>
    /// Downloads files into the cache, or finds them there: complete files are not downloaded again, partial ones are continued, whichever
    /// program started them. After a cancellation or an error received bytes stay; the next call continues from there.
    /// </summary>
    /// <param name="request">Which files.</param>
    /// <param name="progress">Told how far it is, some times a second.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="HubException">They cannot be had; the message says what to do.</exception>
    public Task<HubSnapshot> DownloadAsync(
        HubDownloadRequest request, IProgress<HubProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return new SnapshotDownload(Options, Cache, _http, _api, _warn).RunAsync(request, progress, cancellation.OrAmbient());
    }

    /// <summary>Reads every cached file of a commit and compares its hash with what the hub lists.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="revision">A branch, a tag or a commit.</param>
    /// <param name="repair">Remove what is damaged, so that the next download brings it again.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="HubException">Nothing of it is cached.</exception>
    public async Task<HubVerification> VerifyAsync(
        RepoId repo, string revision = "main", bool repair = false, CancellationToken cancellation = default)
    {
        cancellation = cancellation.OrAmbient();
        var commit = Cache.CommitOf(repo, revision);
        var files = commit is null ? [] : Cache.FilesOf(repo, commit);
        if (files.Count == 0)
            throw new HubException(
                HubErrorKind.FileNotFound,
                $"The cache {Cache.Folder} holds nothing of {repo} at {revision}. `dotnet run -- hub list` shows what it holds.");
        var (verified, damaged, unknown) = (new List<string>(), new List<string>(), new List<string>());
        IReadOnlyDictionary<string, HubFile>? listed = null;
        foreach (var file in files)
        {
            var path = Cache.PathOf(repo, commit!, file);
            var etag = Path.GetFileName(new FileInfo(path).LinkTarget);
            if (!SafePath.IsETag(etag) && !Options.Offline)
            {
                listed ??= (await _api.GetAsync(repo, commit!, cancellation).ConfigureAwait(false)).Files.ToDictionary(
                    listing => listing.Path, StringComparer.Ordinal);
                etag = listed.GetValueOrDefault(file)?.ETag;
            }

            var into = !SafePath.IsETag(etag) ? unknown : BlobHash.OfFile(path, etag!.Length, cancellation) == etag ? verified : damaged;
            into.Add(file);
        }

        if (repair)
            damaged.ForEach(file => Cache.Remove(repo, commit!, file));
        return new HubVerification(commit!, verified, damaged, unknown);
    }

    /// <summary>Uploads files to a repository as one commit; creates the repository where there is none.</summary>
    /// <param name="request">Which files, and where to.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Ends it; nothing is committed then.</param>
    /// <exception cref="HubException">Nobody is logged in, the token may not write, or the hub refuses.</exception>
    public Task<HubCommit> UploadAsync(
        HubUploadRequest request, IProgress<HubProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (Token is null)
            throw new HubException(
                HubErrorKind.NotLoggedIn,
                $"An upload needs a login. Make a token with write access at {Options.Endpoint.AbsoluteUri.TrimEnd('/')}/settings/tokens "
                + "and run `dotnet run -- hub login` (or set HF_TOKEN).");
        ThrowIfOffline("uploading");
        if (request.Repo.IsDataset)
            throw new HubException(HubErrorKind.Refused, $"{request.Repo} is a dataset; only models are uploaded: owner/name.");
        return new HubUpload(Options, _http, _api).RunAsync(request, progress, cancellation.OrAmbient());
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private void ThrowIfOffline(string what)
    {
        if (Options.Offline)
            throw new HubException(HubErrorKind.Offline, $"Offline mode is on, so {what} is not possible. Unset HF_HUB_OFFLINE.");
    }
}
