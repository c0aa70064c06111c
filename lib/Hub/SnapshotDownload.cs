using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Hub;

/// <summary>Downloads the needed files of one commit into the cache, or finds them there.</summary>
internal sealed class SnapshotDownload(HubOptions options, HubCache cache, HubHttp http, ModelApi api, Action<string> warn)
{
    private const long SpareBytes = 64 << 20;

    /// <summary>Runs it; makes no request when offline, or when all files of the given commit are cached.</summary>
    public async Task<HubSnapshot> RunAsync(HubDownloadRequest request, IProgress<HubProgress>? progress, CancellationToken cancellation)
    {
        if (SafePath.IsCommit(request.Revision) && Cached(request, mustBeSure: true) is { } exact)
            return exact;
        if (options.Offline)
            return Cached(request, mustBeSure: false)
                ?? throw new HubException(
                    HubErrorKind.Offline,
                    $"{request.Repo} at {request.Revision} is not (or not wholly) in the cache {cache.Folder}, and offline mode is on. "
                    + $"{CachedNames()} Unset HF_HUB_OFFLINE to download it.");
        HubModelInfo info;
        try
        {
            info = await api.GetAsync(request.Repo, request.Revision, cancellation).ConfigureAwait(false);
        }
        catch (HubException error) when (error.Kind is HubErrorKind.Network or HubErrorKind.Server or HubErrorKind.RateLimited)
        {
            if (Cached(request, mustBeSure: false) is not { } cached)
                throw new HubException(error.Kind, $"{error.Message} {CachedNames()}", error);
            warn(
                $"{error.Message} The cached files of {request.Repo} (commit {cached.Commit[..8]}) are used. HF_HUB_OFFLINE=1 does so "
                + "without asking.");
            return cached;
        }

        return await FetchAsync(request, info, progress, cancellation).ConfigureAwait(false);
    }

    private async Task<HubSnapshot> FetchAsync(
        HubDownloadRequest request, HubModelInfo info, IProgress<HubProgress>? progress, CancellationToken cancellation)
    {
        var prefix = Prefix(request);
        var byPath = info.Files.Where(file => file.Path.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(file => file.Path[prefix.Length..], StringComparer.Ordinal);
        if (byPath.Count == 0)
            throw new HubException(
                HubErrorKind.FileNotFound,
                $"{request.Repo} at {request.Revision} has no files{(prefix.Length > 0 ? $" in {prefix}" : string.Empty)}.");
        using var connections = new SemaphoreSlim(options.Connections);
        var arrived = 0L;
        async Task<string> ReadIndex()
        {
            arrived += await GetAllAsync(info, [byPath[FileSelection.ModelIndex]], connections, null, cancellation).ConfigureAwait(false);
            return await File.ReadAllTextAsync(cache.PathOf(info.Repo, info.Commit, byPath[FileSelection.ModelIndex].Path), cancellation)
                .ConfigureAwait(false);
        }

        var needsIndex = IsPipeline(request, byPath.Keys);
        var choice = Choose(request, byPath.Keys, needsIndex ? await ReadIndex().ConfigureAwait(false) : null);
        foreach (var note in choice.Notes)
            warn(note);
        arrived += await GetAllAsync(info, [.. choice.Files.Select(name => byPath[name])], connections, progress, cancellation)
            .ConfigureAwait(false);
        // Only now does the branch mean this commit here: until then the files of the one before it are whole.
        cache.WriteRef(info.Repo, request.Revision, info.Commit);
        return Snapshot(request, info.Commit, choice, arrived);
    }

    /// <summary>Downloads what is missing of the given files.</summary>
    /// <returns>Bytes that came over the network.</returns>
    private async Task<long> GetAllAsync(
        HubModelInfo info, IReadOnlyList<HubFile> files, SemaphoreSlim connections, IProgress<HubProgress>? progress,
        CancellationToken cancellation)
    {
        foreach (var file in files)
            SafePath.CheckFile(info.Repo, file.Path);
        var missing = files.Where(file => !cache.Has(info.Repo, info.Commit, file.Path)).OrderByDescending(file => file.Size).ToList();
        CheckSpace(info.Repo, [.. missing.Where(file => !File.Exists(cache.BlobOf(info.Repo, file.ETag))).DistinctBy(file => file.ETag)]);
        // Nothing to show where nothing is to be done.
        var meter = new ProgressMeter(missing.Count > 0 ? progress : null, files.Sum(file => file.Size), files.Count);
        foreach (var file in files.Except(missing))
        {
            meter.Skip(file.Size);
            meter.Finish();
        }

        // Files of equal content are one blob: side by side they would wait for each other's lock.
        await Parallel.ForEachAsync(
            missing.GroupBy(file => file.ETag), new ParallelOptions
            {
                MaxDegreeOfParallelism = options.FilesAtOnce,
                CancellationToken = cancellation,
            }, async (same, token) =>
        {
            foreach (var file in same)
            {
                await GetAsync(info, file, connections, meter, token).ConfigureAwait(false);
                meter.Finish();
            }
        }).ConfigureAwait(false);
        return meter.Arrived;
    }

    private async Task GetAsync(
        HubModelInfo info, HubFile file, SemaphoreSlim connections, ProgressMeter meter, CancellationToken cancellation)
    {
        var (repo, commit) = (info.Repo, info.Commit);
        using var held = await cache.LockAsync(
            repo, file.ETag, () => warn($"Another program is downloading {file.Path} of {repo}; waiting for it."), cancellation)
                .ConfigureAwait(false);
        var isNew = !File.Exists(cache.BlobOf(repo, file.ETag)) && !cache.Has(repo, commit, file.Path);
        if (isNew)
        {
            var address = options.Address($"{repo}/resolve/{commit}/{string.Join('/', file.Path.Split('/').Select(Uri.EscapeDataString))}");
            var reader = new RangeReader(http, options, new HubCall(repo, commit, file.Path), file, address, connections, meter);
            await new BlobDownload(cache, repo, file, reader, meter).RunAsync(cancellation).ConfigureAwait(false);
        }
        else
        {
            meter.Skip(file.Size);
        }

        cache.Link(repo, commit, file, isNew);
    }

    /// <summary>What the cache holds of a request, when that is all of it.</summary>
    /// <param name="request">What is wanted.</param>
    /// <param name="mustBeSure">Whether null is returned where the files alone do not show that they are all.</param>
    private HubSnapshot? Cached(HubDownloadRequest request, bool mustBeSure)
    {
        if (cache.CommitOf(request.Repo, request.Revision) is not { } commit)
            return null;
        var prefix = Prefix(request);
        var files = cache.FilesOf(request.Repo, commit).Where(file => file.StartsWith(prefix, StringComparison.Ordinal))
            .Select(file => file[prefix.Length..]).ToList();
        if (files.Count == 0)
            return null;
        var source = request.Repo.ToString();
        var isPipeline = IsPipeline(request, files);
        var index = isPipeline && files.Contains(FileSelection.ModelIndex)
            ? File.ReadAllText(cache.PathOf(request.Repo, commit, prefix + FileSelection.ModelIndex))
            : null;
        if (isPipeline && (index is null || !FileSelection.IsWhole(files, index, request.Variant, source, orNearest: !mustBeSure)))
            return null;
        var knowsAll = isPipeline || request.Content == HubContent.Lora
            || (request.Include.Count > 0 && request.Include.All(name => name.IndexOfAny(['*', '?']) < 0));
        if (mustBeSure && !knowsAll)
            return null;
        try
        {
            return Snapshot(request, commit, Choose(request, files, index), 0);
        }
        catch (HubException)
        {
            return null;
        }
    }

    private static FileChoice Choose(HubDownloadRequest request, IReadOnlyCollection<string> files, string? index)
    {
        var source = request.Repo.ToString();
        if (index is not null)
            return FileSelection.Pipeline(files, index, request.Variant, source);
        if (request.Include.Count > 0 || request.Exclude.Count > 0 || request.Content is HubContent.All or HubContent.Auto)
            return FileSelection.Matching(files, request.Include, request.Exclude, source);
        return request.Content switch
        {
            HubContent.Lora => FileSelection.Lora(files, source),
            HubContent.Encoder => FileSelection.Encoder(files, source),
            HubContent.Dataset => DatasetSelection.Choose(files, request.Part, source),
            _ => throw NoPipeline(request.Repo, files),
        };
    }

    private static HubException NoPipeline(RepoId repo, IReadOnlyCollection<string> files)
    {
        var singles = files.Where(
            file => file.EndsWith(".safetensors", StringComparison.Ordinal) && !file.Contains('/', StringComparison.Ordinal)).Take(3)
                .ToList();
        return new HubException(
            HubErrorKind.FileNotFound,
            $"{repo} has no {FileSelection.ModelIndex}, so it is no pipeline in the published "
            + $"layout.{(singles.Count > 0 ? $" It holds single files: name one, such as {repo}/{singles[0]}." : string.Empty)}");
    }

    private static bool IsPipeline(HubDownloadRequest request, IReadOnlyCollection<string> files) =>
        request.Include.Count == 0 && request.Exclude.Count == 0 && request.Content is HubContent.Pipeline or HubContent.Auto
            && files.Contains(FileSelection.ModelIndex);

    private HubSnapshot Snapshot(HubDownloadRequest request, string commit, FileChoice choice, long arrived)
    {
        var folder = cache.SnapshotOf(request.Repo, commit);
        return new HubSnapshot(
            request.Subfolder is { Length: > 0 } sub ? Path.Combine(folder, Path.Combine(sub.Split('/'))) : folder, commit, choice.Files,
            arrived);
    }

    private static string Prefix(HubDownloadRequest request) => request.Subfolder is not { Length: > 0 } sub ? string.Empty
        : SafePath.IsInside(sub)
        ? sub + "/"
        : throw new HubException(
            HubErrorKind.FileNotFound, $"'{SafePath.Show(sub)}' is no folder of a repository; valid is a path such as transformer.");

    private void CheckSpace(RepoId repo, List<HubFile> files)
    {
        if (files.Count == 0)
            return;
        Directory.CreateDirectory(cache.Folder);
        var (free, whole) = (options.FreeBytes(cache.Folder), options.TotalBytes(cache.Folder));
        // A file larger than the whole disk must not be started.
        foreach (var file in files.Where(file => file.Size > whole))
            BlobDownload.Forget(cache, repo, file);
        var needed = files.Sum(file => file.Size - BlobDownload.Begun(cache, repo, file));
        if (needed <= free - SpareBytes)
            return;
        var (asked, there) = ByteSize.Pair(needed, free);
        throw new HubException(
            HubErrorKind.DiskFull,
            $"{repo} needs {asked} more in {cache.Folder} and {ByteSize.Text(SpareBytes)} to spare, where {there} are free. "
            + "Free some space, or set HF_HUB_CACHE to a folder on a larger disk. Nothing was downloaded now.");
    }

    private string CachedNames()
    {
        var repos = cache.List().Where(repo => repo.Revisions.Count > 0).ToList();
        if (repos.Count == 0)
            return $"The cache {cache.Folder} holds no model.";
        var names = repos.Take(8).Select(repo => $"{repo.Repo} ({string.Join(", ", repo.Revisions.Select(NameOf))})");
        return $"The cache holds {string.Join(", ", names)}; HF_HUB_OFFLINE=1 uses what is there without asking.";

        static string NameOf((string Commit, IReadOnlyList<string> Names) revision) =>
            revision.Names.Count > 0 ? revision.Names[0] : revision.Commit[..Math.Min(8, revision.Commit.Length)];
    }
}
