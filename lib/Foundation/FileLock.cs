namespace Dreambooth.Lab.Foundation;

/// <summary>
/// Locks between processes, of whatever program: flock on Linux and macOS, a share mode on Windows. A process that ends, however it ends,
/// releases its locks.
/// </summary>
internal static class FileLock
{
    // EWOULDBLOCK of Linux and of macOS, sharing violation and lock violation of Windows.
    private static readonly int[] TakenCodes = [11, 35, unchecked((int)0x80070020), unchecked((int)0x80070021)];

    /// <summary>Takes a lock without waiting.</summary>
    /// <param name="path">The file that stands for it; created when missing, in a folder that exists.</param>
    /// <returns>The lock, which closing sets free; null where another holds it.</returns>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static FileStream? TryTake(string path) => Try(path, FileShare.None);

    /// <summary>Takes a lock together with others that share it, without waiting.</summary>
    /// <param name="path">As for <see cref="TryTake"/>.</param>
    /// <returns>The lock, which closing sets free; null where another holds it alone.</returns>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static FileStream? TryShare(string path) => Try(path, FileShare.ReadWrite);

    private static FileStream? Try(string path, FileShare share)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, share);
        }
        catch (IOException error) when (TakenCodes.Contains(error.HResult))
        {
            return null;
        }
    }
}
