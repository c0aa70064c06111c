using System.Globalization;

namespace Dreambooth.Lab.Foundation;

/// <summary>
/// A folder that only one run writes to at a time: created, tested and locked before the work begins, and cleared of what killed runs left
/// half written. Its two hidden files are deleted with the lock.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private const string LockName = ".lab.lock";
    private const string HolderName = ".lab.holder";
    private const int ProbeBytes = 1 << 16;
    private const int Depth = 2;

    private readonly FileStream _lock;
    private readonly bool _isNew;

    private RunFolder(string path, FileStream taken, bool isNew) => (Path, _lock, _isNew) = (path, taken, isNew);

    /// <summary>The folder; a full path.</summary>
    public string Path { get; }

    /// <summary>Creates the folder, checks that it can be written to, and locks it.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="work">What is done in it, for those who find it in use: "training".</param>
    /// <param name="option">The option that names it.</param>
    /// <exception cref="LabException">
    /// It cannot be made or written to, the disk is full, or another run holds it: the message says who.
    /// </exception>
    public static RunFolder Open(string path, string work, string option)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var full = System.IO.Path.GetFullPath(path);
        try
        {
            var isNew = !Directory.Exists(full);
            Directory.CreateDirectory(full);
            var taken = Take(System.IO.Path.Combine(full, LockName)) ?? throw InUse(full, option);
            var folder = new RunFolder(full, taken, isNew);
            try
            {
                JsonFile.Write(System.IO.Path.Combine(full, HolderName), Holder.Of(work));
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

    /// <summary>Whether a name is one of the files that mark a folder as in use.</summary>
    public static bool IsMark(string name) => name is LockName or HolderName;

    /// <summary>
    /// Deletes what killed runs left half written, two folders deep (<c>validation/step_00001</c>) but for folders that runs of their own
    /// hold.
    /// </summary>
    /// <returns>How many files and folders there were.</returns>
    public int ClearLeftovers() => Clear(new DirectoryInfo(Path), Depth);

    /// <summary>Releases the folder; one that was created and not used is deleted.</summary>
    public void Dispose()
    {
        if (!_lock.CanRead)
            return;
        Try(() => File.Delete(System.IO.Path.Combine(Path, HolderName)));
        if (!OperatingSystem.IsWindows())
            Try(() => File.Delete(_lock.Name));
        _lock.Dispose();
        if (OperatingSystem.IsWindows())
            Try(() => File.Delete(_lock.Name));
        if (_isNew)
            Try(() => Directory.Delete(Path));
    }

    private static FileStream? Take(string path)
    {
        while (FileLock.TryTake(path) is { } stream)
        {
            try
            {
                // The random length tells this file from one that another run makes when the last holder has just deleted this.
                stream.SetLength(0);
                stream.Write(new byte[ProbeBytes + Random.Shared.Next(ProbeBytes)]);
                stream.Flush(flushToDisk: true);
                if (new FileInfo(path) is { Exists: true } there && there.Length == stream.Length)
                    return stream;
                stream.Dispose();
            }
            catch
            {
                Try(() => File.Delete(path));
                stream.Dispose();
                throw;
            }
        }

        return null;
    }

    private static int Clear(DirectoryInfo folder, int depth)
    {
        var count = 0;
        var every = new EnumerationOptions { AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };
        foreach (var entry in folder.EnumerateFileSystemInfos("*", every).ToList())
        {
            if (AtomicFile.IsTemporary(entry.Name))
            {
                if (entry is DirectoryInfo unfinished)
                    unfinished.Delete(recursive: true);
                else
                    entry.Delete();
                count++;
            }
            else if (depth > 0 && entry is DirectoryInfo inner && !File.Exists(System.IO.Path.Combine(inner.FullName, LockName)))
            {
                count += Clear(inner, depth - 1);
            }
        }

        return count;
    }

    private static LabException InUse(string path, string option)
    {
        Holder? holder = null;

        // A process that has just locked the folder writes its name next.
        for (var attempt = 0; holder is null && attempt < 20; attempt++)
        {
            try
            {
                holder = JsonFile.Read<Holder>(System.IO.Path.Combine(path, HolderName));
            }
            catch (LabException)
            {
                Thread.Sleep(25);
            }
        }

        return new LabException(
            $"{path} is in use by {holder?.ToString() ?? "another run"}. Wait until that has ended, or name another folder ({option}).");
    }

    private static void Try(Action delete)
    {
        try
        {
            delete();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // What stays is found by the next run.
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
