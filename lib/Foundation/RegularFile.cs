namespace Dreambooth.Lab.Foundation;

/// <summary>Tells files from what only has a file's name: opening a pipe waits for its writer, and a device may have no end.</summary>
internal static class RegularFile
{
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
