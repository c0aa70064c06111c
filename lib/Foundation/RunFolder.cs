using System.Diagnostics;
using System.Globalization;

namespace Dreambooth.Lab.Foundation;

/// <summary>
/// A folder that only one run writes to at a time: created, tested and locked before the work begins, and cleared of what killed runs left
/// half written. Its hidden files are deleted with the lock. Processes with different parts of a run (<see cref="Shard"/>) may hold a
/// folder together: each locks its part, and all share the lock that a whole run takes for itself.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private const string LockName = ".lab.lock";
    private const string HolderName = ".lab.holder";
    private const int Depth = 2;
    private const int Attempts = 40;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MostForTheLastPart = TimeSpan.FromMinutes(10);

    private readonly Shard? _shard;
    private readonly bool _isNew;
    private FileStream? _lock;
    private FileStream? _part;

    private RunFolder(string path, Shard? shard, bool isNew) => (Path, _shard, _isNew) = (path, shard, isNew);

    /// <summary>The folder; a full path.</summary>
    public string Path { get; }

    /// <summary>Creates the folder, checks that it can be written to, and locks it.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="work">What is done in it, for those who find it in use: "training".</param>
    /// <param name="option">The option that names it.</param>
    /// <param name="shard">The part that this process does; null: everything, and nobody else may write to the folder.</param>
    /// <param name="whenAlone">
    /// Done while nobody else holds the folder, such as taking in what earlier parts left; null: nothing. A part that finds another in
    /// the folder leaves it out.
    /// </param>
    /// <param name="cancellation">
    /// Ends the waiting of a part for another that puts the results together (<see cref="TryTakeWhole"/>).
    /// </param>
    /// <exception cref="OperationCanceledException">It was cancelled while it waited.</exception>
    /// <exception cref="LabException">
    /// It cannot be made or written to, the disk is full, or another run holds it: the message says who.
    /// </exception>
    public static RunFolder Open(
        string path, string work, string option, Shard? shard = null, Action? whenAlone = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var full = System.IO.Path.GetFullPath(path);
        try
        {
            var isNew = !Directory.Exists(full);
            Directory.CreateDirectory(full);
            var folder = new RunFolder(full, shard, isNew);
            try
            {
                if (!folder.TakeLocks(whenAlone, cancellation.OrAmbient()))
                    throw InUse(full, option, shard);
                JsonFile.Write(folder.HolderFile, Holder.Of(shard is null ? work : $"part {shard} of {work}"));
                return folder;
            }
            catch
            {
                folder.Dispose();
                throw;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"The folder {full} ({option}) cannot be written to: {error.Message}", error);
        }
    }

    private string SharedLock => System.IO.Path.Combine(Path, LockName);

    private string HolderFile => System.IO.Path.Combine(Path, OfPart(HolderName, _shard));

    /// <summary>Whether a run holds a folder for itself now.</summary>
    /// <param name="path">The folder; may be missing.</param>
    internal static bool IsHeld(string path) =>
        System.IO.Path.Combine(path, LockName) is var file && File.Exists(file) && IsLocked(file);

    /// <summary>Whether a name is one of the files that mark a folder as in use.</summary>
    public static bool IsMark(string name) =>
        name.StartsWith(LockName, StringComparison.Ordinal) || name.StartsWith(HolderName, StringComparison.Ordinal);

    /// <summary>
    /// Deletes what killed runs left half written, two folders deep (<c>validation/step_00001</c>) but for folders that runs of their own
    /// hold.
    /// </summary>
    /// <param name="isOwn">Whether a file is this process's to write, by its full path; null: all are.</param>
    /// <returns>How many files and folders there were.</returns>
    public int ClearLeftovers(Func<string, bool>? isOwn = null) => Clear(new DirectoryInfo(Path), Depth, isOwn);

    /// <summary>
    /// Asks for the folder alone, once a part has done its work: of several parts the last gets it, to put their results together.
    /// </summary>
    /// <returns>Whether nobody else holds it now; a whole run always has it.</returns>
    public bool TryTakeWhole()
    {
        // Another part may be about to end.
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (attempt > 0)
                Thread.Sleep(Pause);
            if (ExchangeLock())
                return true;
        }

        return false;
    }

    /// <summary>Releases the folder; one that was created and not used is deleted.</summary>
    public void Dispose()
    {
        if (_lock is null && _part is null)
            return;
        LockFile.Try(() => File.Delete(HolderFile));
        LockFile.Release(_part);
        // The lock that parts share is deleted by the last of them.
        LockFile.Try(() => LockFile.Release(ExchangeLock() ? _lock : null));
        (_lock, _part) = (null, null);
        if (_isNew)
            LockFile.Try(() => Directory.Delete(Path));
    }

    // The lock that parts share for the same lock alone, where no other has it.
    private bool ExchangeLock()
    {
        if (_shard is null)
            return true;
        _lock?.Dispose();
        return (_lock = LockFile.Take(SharedLock)) is not null;
    }

    private bool TakeLocks(Action? whenAlone, CancellationToken cancellation)
    {
        if (_shard is null)
        {
            _lock = LockFile.Take(SharedLock);
            if (_lock is null)
                return false;
            DeleteMarksOfParts();
            whenAlone?.Invoke();
            return true;
        }

        _part = LockFile.Take(System.IO.Path.Combine(Path, OfPart(LockName, _shard)));
        if (_part is null)
            return false;
        if (whenAlone is not null && LockFile.Take(SharedLock) is { } alone)
        {
            using (alone)
                whenAlone();
        }

        // Parts that start or end hold the shared lock for themselves, for moments; the last as long as it writes what all have done.
        // One that ends deletes its mark before it sets the lock free.
        var (waited, unmarked) = (Stopwatch.StartNew(), Stopwatch.StartNew());
        while ((_lock = LockFile.Share(SharedLock)) is null && waited.Elapsed < MostForTheLastPart && unmarked.Elapsed < Attempts * Pause)
        {
            cancellation.ThrowIfCancellationRequested();
            if (HasParts())
                unmarked.Restart();
            Thread.Sleep(Pause);
        }

        return _lock is not null && !HasOtherParts();
    }

    // A whole run deletes their marks.
    private bool HasParts() => Directory.EnumerateFiles(Path, HolderName + ".*-of-*").Any();

    // Parts that were killed leave them.
    private void DeleteMarksOfParts()
    {
        foreach (var file in Directory.EnumerateFiles(Path, ".lab.*-of-*").Where(file => IsMark(System.IO.Path.GetFileName(file))).ToList())
            LockFile.Try(() => File.Delete(file));
    }

    // Parts of another division would do the same work twice.
    private bool HasOtherParts() => Directory.EnumerateFiles(Path, LockName + ".*-of-*").Any(file =>
        !file.EndsWith($"-of-{_shard!.Count}", StringComparison.Ordinal) && IsLocked(file));

    private static bool IsLocked(string file)
    {
        using var taken = FileLock.TryTake(file);
        return taken is null;
    }

    private static string OfPart(string name, Shard? shard) => shard is null ? name : $"{name}.{shard.Name}";

    private static int Clear(DirectoryInfo folder, int depth, Func<string, bool>? isOwn)
    {
        var count = 0;
        var every = new EnumerationOptions { AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };
        foreach (var entry in folder.EnumerateFileSystemInfos("*", every).ToList())
        {
            if (AtomicFile.TargetOf(entry.FullName) is { } target)
            {
                if (isOwn?.Invoke(target) == false)
                    continue;
                if (entry is DirectoryInfo unfinished)
                    unfinished.Delete(recursive: true);
                else
                    entry.Delete();
                count++;
            }
            else if (depth > 0 && entry is DirectoryInfo inner && !File.Exists(System.IO.Path.Combine(inner.FullName, LockName)))
            {
                count += Clear(inner, depth - 1, isOwn);
            }
        }

        return count;
    }

    private static LabException InUse(string path, string option, Shard? shard)
    {
        Holder? holder = null;

        // A process that has just locked the folder writes its name next.
        for (var attempt = 0; holder is null && attempt < 20; attempt++)
        {
            if (attempt > 0)
                Thread.Sleep(25);
            string[] files = [.. Directory.EnumerateFiles(path, HolderName + "*").Order(StringComparer.Ordinal)];
            holder = files.OrderByDescending(file => file.EndsWith(OfPart(HolderName, shard), StringComparison.Ordinal))
                .Select(ReadHolder).OfType<Holder>().FirstOrDefault();
        }

        return new LabException(
            $"{path} is in use by {holder?.ToString() ?? "another run"}. Wait until that has ended, or name another folder ({option}).");
    }

    private static Holder? ReadHolder(string file)
    {
        try
        {
            return JsonFile.Read<Holder>(file);
        }
        catch (LabException)
        {
            return null;
        }
    }

    private sealed record Holder(string Work, int Process, string Machine, DateTimeOffset Since)
    {
        public static Holder Of(string work) => new(work, Environment.ProcessId, Environment.MachineName, DateTimeOffset.UtcNow);

        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture,
            $"{Work} in {(Process == Environment.ProcessId ? "this very process" : $"process {Process}")} on {Machine} since "
                + $"{Since.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
    }
}
