using System.Text;
using Dreambooth.Lab.Kernel.Notebooks;

namespace Dreambooth.Lab.Kernel.Magics;

/// <summary>C# from files that a cell imports.</summary>
internal static class ImportedFile
{
    /// <summary>The C# cells of a notebook or file.</summary>
    /// <param name="path">A .ipynb, .dib, .cs or .csx file.</param>
    /// <returns>A name for stack traces and the code, for each cell.</returns>
    /// <exception cref="KernelException">The file is missing or of another kind.</exception>
    public static IEnumerable<(string Name, string Code)> CellsOf(string path)
    {
        if (!File.Exists(path))
            throw new KernelException($"There is no file '{Path.GetFullPath(path)}' to import.");
        var name = Path.GetFileName(path);
        return Path.GetExtension(path) switch
        {
            ".cs" or ".csx" => [(name, File.ReadAllText(path))],
            ".dib" => [(name, WithoutMetadata(File.ReadAllText(path)))],
            ".ipynb" => NotebookDocument.Load(path).Cells.Where(c => c.IsCode).Select((c, i) => ($"{name}[{i + 1}]", c.Source)),
            var other => throw new KernelException($"Files of kind '{other}' cannot be imported; .ipynb, .dib, .cs and .csx can."),
        };
    }

    // A .dib file is one text with a language magic before each cell; its #!meta block is no cell.
    private static string WithoutMetadata(string text)
    {
        var result = new StringBuilder();
        var inMetadata = false;
        foreach (var line in text.ReplaceLineEndings("\n").Split('\n'))
        {
            if (line.StartsWith("#!", StringComparison.Ordinal))
                inMetadata = line.StartsWith("#!meta", StringComparison.Ordinal);
            result.Append(inMetadata ? "" : line).Append('\n');
        }

        return result.ToString();
    }
}
