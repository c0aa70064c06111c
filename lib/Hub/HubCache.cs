using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Hub;

/// <summary>
/// The folder of downloaded files, laid out as every program of the hub lays it out: <c>models--owner--name</c> with <c>blobs/</c> (files
/// by content), <c>snapshots/COMMIT/</c> (links to them under their own names) and <c>refs/</c> (what branches and tags mean). Where links
/// cannot be made, snapshots hold the files themselves.
/// </summary>
public sealed class HubCache
{
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(100);

    private readonly Lazy<bool> _symlinks;

    /// <summary>Names a cache; nothing is made yet.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="symlinks">Whether links can be made there; null: tried out when it matters.</param>
    public HubCache(string folder, bool? symlinks = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Folder = Path.GetFullPath(folder);
        _symlinks = new(() => symlinks ?? CanLink());
    }

    /// <summary>The cache's folder.</summary>
    public string Folder { get; }

    /// <summary>The folder of one repository.</summary>
    /// <param name="repo">The repository.</param>
    public string FolderOf(RepoId repo)
    {
        ArgumentNullException.ThrowIfNull(repo);
        return Path.Combine(Folder, repo.FolderName);
    }

    /// <summary>The folder with the files of one commit under their own names.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="commit">The commit.</param>
    public string SnapshotOf(RepoId repo, string commit) => Path.Combine(FolderOf(repo), "snapshots", commit);

    /// <summary>Where a file's content lies, by what it is.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="etag">What the content is: <see cref="HubFile.ETag"/>.</param>
    public string BlobOf(RepoId repo, string etag) => Path.Combine(FolderOf(repo), "blobs", etag);

    /// <summary>The commit that a revision meant when it was last asked for.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="revision">A branch, a tag or a commit.</param>
    /// <returns>Null when the cache does not know.</returns>
    public string? CommitOf(RepoId repo, string revision)
    {
        if (SafePath.IsCommit(revision))
            return revision;
        var path = RefOf(repo, revision);
        return File.Exists(path) && File.ReadAllText(path).Trim() is var commit && SafePath.IsCommit(commit) ? commit : null;
    }

    /// <summary>The files of a commit that are whole, as paths in the repository.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="commit">The commit.</param>
    public IReadOnlyList<string> FilesOf(RepoId repo, string commit)
    {
        var folder = SnapshotOf(repo, commit);
        return Directory.Exists(folder)
            ? [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(IsWhole)
                .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/')).Order(StringComparer.Ordinal)]
            : [];
    }

    /// <summary>Whether a file of a commit is here and whole.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="commit">The commit.</param>
    /// <param name="path">Its path in the repository.</param>
    public bool Has(RepoId repo, string commit, string path) => IsWhole(PathOf(repo, commit, path));

    /// <summary>Every repository that there are files of, by name.</summary>
    public IReadOnlyList<CachedRepo> List()
    {
        if (!Directory.Exists(Folder))
            return [];
        var repos = new List<CachedRepo>();
        foreach (var folder in Directory.EnumerateDirectories(Folder, "*--*").Order(StringComparer.Ordinal))
        {
            if (!RepoId.TryParseFolder(Path.GetFileName(folder), out var repo))
                continue;
            var names = Refs(folder).ToLookup(pair => pair.Commit, pair => pair.Name);
            var commits = Subfolders(Path.Combine(folder, "snapshots"))
                .Select(commit => (commit, (IReadOnlyList<string>)[.. names[commit]])).ToList();
            var blobs = Files(Path.Combine(folder, "blobs")).ToList();
            var copies = Files(Path.Combine(folder, "snapshots")).Where(file => file.LinkTarget is null);
            repos.Add(new CachedRepo(
                repo, commits, blobs.Where(file => !IsIncomplete(file)).Concat(copies).Sum(file => file.Length),
                blobs.Where(IsIncomplete).Sum(file => file.Length), folder));
        }

        return repos;
    }

    /// <summary>Where a file of a commit stands under its own name.</summary>
    internal string PathOf(RepoId repo, string commit, string path) =>
        Path.Combine(SnapshotOf(repo, commit), Path.Combine(SafePath.CheckFile(repo, path).Split('/')));

    /// <summary>Stores the commit of a branch or a tag.</summary>
    internal void WriteRef(RepoId repo, string revision, string commit)
    {
        if (SafePath.IsCommit(revision) || CommitOf(repo, revision) == commit)
            return;
        AtomicFile.WriteAllText(RefOf(repo, revision), commit);
    }

    /// <summary>Puts a whole blob under its own name into a commit's folder.</summary>
    internal void Link(RepoId repo, string commit, HubFile file, bool isNew)
    {
        var (path, blob) = (PathOf(repo, commit, file.Path), BlobOf(repo, file.ETag));
        if (IsWhole(path))
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (_symlinks.Value)
        {
            File.Delete(path);
            File.CreateSymbolicLink(path, Path.GetRelativePath(Path.GetDirectoryName(path)!, blob));
        }
        else if (isNew)
        {
            File.Move(blob, path, overwrite: true);
        }
        else
        {
            File.Copy(blob, path, overwrite: true);
        }
    }

    /// <summary>Waits until no other process, of whatever program, works on the same blob.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="etag">The blob.</param>
    /// <param name="waiting">Told once when it has to wait.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <returns>The lock; closing it sets it free.</returns>
    internal async Task<IDisposable> LockAsync(RepoId repo, string etag, Action waiting, CancellationToken cancellation)
    {
        var path = Path.Combine(Folder, ".locks", repo.FolderName, $"{etag}.lock");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        for (var told = false; ; told = true)
        {
            // On Linux and macOS this is flock, the same that Python's filelock takes.
            if (FileLock.TryTake(path) is { } taken)
                return taken;
            if (!told)
                waiting();
            await Task.Delay(LockPoll, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Deletes a damaged file, so that it is downloaded again.</summary>
    internal void Remove(RepoId repo, string commit, string path)
    {
        var file = new FileInfo(PathOf(repo, commit, path));
        var target = file.ResolveLinkTarget(returnFinalTarget: true);
        file.Delete();
        if (target is not null
            && Path.GetFullPath(target.FullName).StartsWith(FolderOf(repo) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            target.Delete();
    }

    private string RefOf(RepoId repo, string revision) => Path.Combine(FolderOf(repo), "refs", Path.Combine(SafePath.IsInside(revision)
        ? revision.Split('/')
        : throw new HubException(
            HubErrorKind.RevisionNotFound,
            $"'{SafePath.Show(revision)}' is no revision; valid is a branch, a tag or a commit, such as main.")));

    // A link whose target is missing counts as a file for File.Exists.
    private static bool IsWhole(string path)
    {
        var file = new FileInfo(path);
        return file.LinkTarget is null ? file.Exists : file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo { Exists: true };
    }

    private static bool IsIncomplete(FileInfo file) => file.Name.EndsWith(".incomplete", StringComparison.Ordinal);

    private static IEnumerable<FileInfo> Files(string folder) =>
        Directory.Exists(folder) ? new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories) : [];

    private static IEnumerable<string> Subfolders(string folder) =>
        Directory.Exists(folder)
            ? Directory.EnumerateDirectories(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)
            : [];

    private static IEnumerable<(string Name, string Commit)> Refs(string folder)
    {
        var root = Path.Combine(folder, "refs");
        return Files(root)
            .Select(file => (Path.GetRelativePath(root, file.FullName).Replace('\\', '/'), File.ReadAllText(file.FullName).Trim()));
    }

    private bool CanLink()
    {
        Directory.CreateDirectory(Folder);
        var link = Path.Combine(Folder, $".link-{Guid.NewGuid():N}");
        try
        {
            File.CreateSymbolicLink(link, "nothing");
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            return false;
        }
        finally
        {
            File.Delete(link);
        }
    }
}
