namespace Dreambooth.Lab.Foundation;

/// <summary>Locks between processes whose files are deleted with them; over <see cref="FileLock"/>.</summary>
internal static class LockFile
{
    private const int ProbeBytes = 1 << 16;

    /// <summary>Takes it alone.</summary>
    /// <param name="path">The file, in a folder that exists.</param>
    /// <returns>Null where another holds it.</returns>
    /// <exception cref="IOException">It cannot be written, as on a full disk.</exception>
    public static FileStream? Take(string path)
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

    /// <summary>Takes it together with others that share it.</summary>
    /// <param name="path">The file, in a folder that exists.</param>
    /// <returns>Null where another holds it alone.</returns>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static FileStream? Share(string path)
    {
        while (FileLock.TryShare(path) is { } stream)
        {
            // A file that the last holder has just deleted is no lock.
            if (new FileInfo(path) is { Exists: true } there && there.Length == stream.Length)
                return stream;
            stream.Dispose();
        }

        return null;
    }

    /// <summary>Deletes the file and sets it free.</summary>
    /// <param name="taken">A lock that is held alone; null: nothing.</param>
    public static void Release(FileStream? taken)
    {
        if (taken is null)
            return;
        if (!OperatingSystem.IsWindows())
            Try(() => File.Delete(taken.Name));
        taken.Dispose();
        if (OperatingSystem.IsWindows())
            Try(() => File.Delete(taken.Name));
    }

    /// <summary>Deletes something; what stays is found by the next run.</summary>
    internal static void Try(Action delete)
    {
        try
        {
            delete();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // As the summary says.
        }
    }
}
