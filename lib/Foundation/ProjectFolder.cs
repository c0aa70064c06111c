namespace Dreambooth.Lab.Foundation;

/// <summary>Finds the project's own files from any current folder.</summary>
public static class ProjectFolder
{
    /// <summary>
    /// The folder that holds <c>data/prompts</c> and <c>data/recipes</c>: the current folder or one above it, else the folder of the
    /// program or one above it.
    /// </summary>
    /// <param name="currentFolder">Where to look first; null for the process's current folder.</param>
    /// <exception cref="LabException">There is none.</exception>
    public static string Find(string? currentFolder = null)
    {
        var current = currentFolder ?? Directory.GetCurrentDirectory();
        return Found(current) ?? throw new LabException(
            $"The lab's data folder (with data/prompts and data/recipes) was found neither at nor above {current} or "
            + $"{AppContext.BaseDirectory}. Run this inside the project's folder.");
    }

    /// <summary>Reads a path that a user gave or that stands in a file of the project.</summary>
    /// <param name="path">An absolute path, or one relative to the current folder or else to the project's.</param>
    /// <param name="project">The project's folder.</param>
    /// <returns>The full path; what is nowhere is taken from the project's folder.</returns>
    public static string Resolve(string path, string project)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var here = Path.GetFullPath(path);
        return Path.Exists(here) ? here : Path.GetFullPath(path, project);
    }

    /// <summary>
    /// A path as it is shown: relative to the project where it lies in it, with <c>~</c> for the user's own folder, else whole.
    /// </summary>
    /// <param name="path">Any path.</param>
    public static string Near(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var full = Path.GetFullPath(path);
        foreach (var (folder, prefix) in new[] { (Found(Directory.GetCurrentDirectory()), string.Empty), (UserFolders.Home, "~/") })
        {
            if (folder is { Length: > 1 }
                && full.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                return prefix + Path.GetRelativePath(folder, full).Replace('\\', '/');
        }

        return full;
    }

    private static string? Found(string currentFolder) => Above(currentFolder) ?? Above(AppContext.BaseDirectory);

    private static string? Above(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            if (Directory.Exists(Path.Combine(folder.FullName, "data", "prompts"))
                && Directory.Exists(Path.Combine(folder.FullName, "data", "recipes")))
                return folder.FullName;
        }

        return null;
    }
}
