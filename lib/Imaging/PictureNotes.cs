using System.Security.Cryptography;
using System.Text;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// What pictures were made with: in their files (<see cref="ImageNote"/>), or, where the files shall not tell it, in a hidden log in their
/// folder, by name and SHA-256 of the file. So a run knows its own pictures either way.
/// </summary>
internal static class PictureNotes
{
    /// <summary>The log's name.</summary>
    public const string FileName = ".pictures.jsonl";

    private static readonly Lock Writing = new();

    /// <summary>Writes a picture, and its note into the file or beside it.</summary>
    /// <param name="path">Ends in .png or .jpg.</param>
    /// <param name="image">The picture.</param>
    /// <param name="note">What it was made with.</param>
    /// <param name="parameters">The text that A1111 and Civitai read, png only; or null.</param>
    /// <param name="inFile">Whether the file tells it; if not, the log does.</param>
    public static void Save(string path, RgbImage image, string note, string? parameters, bool inFile)
    {
        if (inFile)
        {
            ImageNote.Save(path, image, note, parameters);
            return;
        }

        ImageEncoder.Save(path, image);
        Log(path, note);
    }

    /// <summary>The note of a picture, from its file or the log in its folder.</summary>
    /// <param name="path">The picture.</param>
    /// <param name="content">The whole file.</param>
    /// <returns>Null where there is none, or only one of another file of that name.</returns>
    public static string? Read(string path, ReadOnlySpan<byte> content) => ImageNote.Read(content) ?? Logged(path, content);

    /// <summary>Takes a note out of a picture's file, or puts it in; the pixels stay as they are.</summary>
    /// <param name="path">The picture; png, others stay.</param>
    /// <param name="content">The whole file.</param>
    /// <param name="note">What it was made with.</param>
    /// <param name="parameters">The text that A1111 and Civitai read.</param>
    /// <param name="inFile">Whether the file shall tell it.</param>
    public static void Move(string path, byte[] content, string note, string parameters, bool inFile)
    {
        if (ImageNote.Rewritten(content, inFile ? note : null, parameters) is not { } rewritten)
            return;
        AtomicFile.Write(path, stream => stream.Write(rewritten));
        if (!inFile)
            Log(path, note);
    }

    private static void Log(string path, string note)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
        var line = JsonLines.Line(new Entry(Path.GetFileName(path), hash, note));
        lock (Writing)
        {
            // A run that was killed may have left half a line: each begins a new one.
            // Other processes may write their pictures' lines.
            using var log = new FileStream(
                Path.Combine(folder, FileName), FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            log.Write(Encoding.UTF8.GetBytes($"\n{line}\n"));
        }
    }

    private static string? Logged(string path, ReadOnlySpan<byte> content)
    {
        var log = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, FileName);
        if (!File.Exists(log))
            return null;
        var (name, hash) = (Path.GetFileName(path), Convert.ToHexStringLower(SHA256.HashData(content)));
        return JsonLines.Read<Entry>(log).LastOrDefault(entry => entry.Path == name && entry.Sha256 == hash)?.Note;
    }

    private sealed record Entry(string Path, string Sha256, string Note);
}
