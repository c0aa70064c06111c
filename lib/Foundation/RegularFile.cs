namespace Dreambooth.Lab.Foundation;

/// <summary>Tells files from what only has a file's name: opening a pipe waits for its writer, and a device may have no end.</summary>
internal static class RegularFile
{
    /// <summary>Rejects what has no length before it is opened; a missing file is left to the code that opens it.</summary>
    /// <param name="path">A file that is to be read.</param>
    /// <exception cref="IOException">It has no content.</exception>
    public static void Require(string path)
    {
        if (Directory.Exists(path))
            throw new IOException("It is a folder, and a file is needed.");
        if (HasNoLength(path))
            throw new IOException("It has no content: it is empty, or a pipe or a device and no regular file.");
    }

    /// <summary>Whether a name leads to something that has no length: an empty file, a pipe or a device.</summary>
    /// <param name="path">An existing file, or a link to one.</param>
    /// <exception cref="IOException">A link leads nowhere or in a circle.</exception>
    public static bool HasNoLength(string path)
    {
        FileSystemInfo file = new FileInfo(path);
        if (file.LinkTarget is not null)
            file = file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
        return file is FileInfo { Exists: true, Length: 0 };
    }
}
