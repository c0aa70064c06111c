namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>Finds the notebooks that a command line names.</summary>
public static class NotebookFiles
{
    /// <summary>Expands files, folders (with their sub-folders) and patterns with <c>*</c> and <c>?</c> in the file's name.</summary>
    /// <param name="names">What the user wrote.</param>
    /// <returns>Notebooks in the order given, those of a folder by name, each once.</returns>
    /// <exception cref="KernelException">A name matches nothing.</exception>
    public static IReadOnlyList<string> Find(IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return [.. names.SelectMany(Expand).Distinct()];
    }

    private static IEnumerable<string> Expand(string name)
    {
        if (File.Exists(name))
            return [name];
        List<string> found;
        if (Directory.Exists(name))
        {
            found = Matching(name, "*.ipynb", SearchOption.AllDirectories);
        }
        else
        {
            var folder = Path.GetDirectoryName(name) is { Length: > 0 } parent ? parent : ".";
            var everywhere = Path.GetFileName(folder) == "**";
            folder = everywhere ? Path.GetDirectoryName(folder) is { Length: > 0 } above ? above : "." : folder;
            var isPattern = name.AsSpan().IndexOfAny('*', '?') >= 0 && Directory.Exists(folder);
            found = isPattern
                ? Matching(folder, Path.GetFileName(name), everywhere ? SearchOption.AllDirectories : SearchOption.TopDirectoryOnly)
                : [];
        }

        return found.Count > 0
            ? found
            : throw new KernelException($"There is no notebook '{name}' (a file, a folder with notebooks or a pattern).");
    }

    private static List<string> Matching(string folder, string pattern, SearchOption depth) =>
        [.. Directory.EnumerateFiles(folder, pattern, depth)
            .Where(
                f => f.EndsWith(".ipynb", StringComparison.OrdinalIgnoreCase)
                    && !f.Contains(".ipynb_checkpoints", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];
}
