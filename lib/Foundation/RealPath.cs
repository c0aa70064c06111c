namespace Dreambooth.Lab.Foundation;

/// <summary>Paths with all links followed, to tell whether two names mean the same folder.</summary>
internal static class RealPath
{
    private static readonly StringComparison NameComparison =
        OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    /// <summary>The full path behind every link on the way.</summary>
    /// <param name="path">Any path; what is not there yet stays as it is named.</param>
    /// <exception cref="LabException">It has a null character, links lead in a circle, or a folder on the way cannot be read.</exception>
    public static string Of(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (path.Contains('\0', StringComparison.Ordinal))
            throw new LabException($"The path '{ShownText.Line(path)}' has a null character, which no path can have.");
        try
        {
            return Follow(Path.GetFullPath(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"The path {path} cannot be followed: {error.Message}", error);
        }
    }

    /// <summary>Whether two paths mean the same file or folder.</summary>
    public static bool AreSame(string left, string right) => string.Equals(Of(left), Of(right), NameComparison);

    /// <summary>Whether a path means a folder or something in it, at any depth.</summary>
    /// <param name="path">The path.</param>
    /// <param name="folder">The folder.</param>
    public static bool IsWithin(string path, string folder) =>
        (Of(path) + Path.DirectorySeparatorChar).StartsWith(Of(folder).TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar,
            NameComparison);

    private static string Follow(string full)
    {
        var root = Path.GetPathRoot(full)!;
        var real = root;
        foreach (var part in full[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            real = Path.Combine(real, part);
            var entry = new DirectoryInfo(real);
            if (entry.LinkTarget is not null && entry.ResolveLinkTarget(returnFinalTarget: true) is { } target)
                real = Follow(target.FullName);
        }

        return real;
    }
}
