using System.Text.RegularExpressions;

namespace Dreambooth.Lab.Foundation;

/// <summary>
/// Writes a file so that a reader sees the old content or the whole new one, never a part: the content goes to a
/// temporary file in the same folder, is flushed to the disk and then renamed over the target.
/// </summary>
internal static partial class AtomicFile
{
    /// <summary>Writes <paramref name="path"/>; its folder is created when missing.</summary>
    /// <param name="path">The target file; replaced when it exists.</param>
    /// <param name="write">Receives the stream to write to; when it throws, the target stays as it was.</param>
    public static void Write(string path, Action<FileStream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        var target = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(target)!;
        Directory.CreateDirectory(folder);
        var temporary = TemporaryBeside(target);
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 20))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception error)
        {
            File.Delete(temporary);
            if (Named(error, temporary, target) is { } named)
                throw named;
            throw;
        }
    }

    /// <summary>A file system error that names the target, which the user knows, instead of the temporary file.</summary>
    /// <param name="error">Any error.</param>
    /// <param name="temporary">A path of <see cref="TemporaryBeside"/>, of a file or of a folder.</param>
    /// <param name="target">What it is to become.</param>
    /// <returns>Null where it does not name the temporary path, or is none of the file system.</returns>
    internal static Exception? Named(Exception error, string temporary, string target)
    {
        var message = error.Message.Replace(temporary, target, StringComparison.Ordinal);
        return message == error.Message ? null : error switch
        {
            UnauthorizedAccessException => new UnauthorizedAccessException(message, error),
            IOException => new IOException(message, error) { HResult = error.HResult },
            _ => null,
        };
    }

    /// <summary>Writes <paramref name="text"/> to <paramref name="path"/> as UTF-8 without a byte order mark.</summary>
    /// <param name="path">The target file; replaced when it exists.</param>
    /// <param name="text">The whole content.</param>
    public static void WriteAllText(string path, string text) =>
        Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));

    /// <summary>A temporary name beside a file or folder for incomplete content; a killed run may leave it behind.</summary>
    /// <param name="path">What it will become.</param>
    internal static string TemporaryBeside(string path) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp");

    /// <summary>What a path of <see cref="TemporaryBeside"/> was to become; null for other paths.</summary>
    /// <param name="path">A full path.</param>
    internal static string? TargetOf(string path) => TemporaryName.Match(Path.GetFileName(path)) is { Success: true } match
        ? Path.Combine(Path.GetDirectoryName(path)!, match.Groups["target"].Value) : null;

    [GeneratedRegex(@"\A\.(?<target>.+)\.[0-9a-f]{32}\.tmp\z", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex TemporaryName { get; }
}
