using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Lessons;

/// <summary>A file or folder that a training left on the disk.</summary>
/// <param name="What">What it is, a phrase.</param>
/// <param name="Path">The file or folder.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Needed">Whether it is worth keeping: the LoRA and the records of how it was made.</param>
public sealed record TrainingLeftover(string What, string Path, long Bytes, bool Needed)
{
    /// <summary>
    /// Lists what a training left in its output folder and in its folder of class pictures, where that lies under the output folder.
    /// </summary>
    /// <param name="config">The training.</param>
    /// <returns>What there is, the largest first.</returns>
    public static IReadOnlyList<TrainingLeftover> Of(DreamBoothConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var folder = System.IO.Path.GetFullPath(config.OutputDir);
        if (!Directory.Exists(folder))
            return [];
        var classes = config.ClassDataDir is { } path
            ? System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path))
            : null;
        return
        [
            .. Directory.GetFileSystemEntries(folder).Where(entry => !RunFolder.IsMark(System.IO.Path.GetFileName(entry)))
                .Select(entry => Describe(entry, entry == classes)).OrderByDescending(leftover => leftover.Bytes),
        ];
    }

    /// <summary>Deletes what is not needed any more.</summary>
    /// <param name="leftovers">What there is.</param>
    /// <returns>Bytes that were freed.</returns>
    /// <exception cref="LabException">A file cannot be deleted.</exception>
    public static long Delete(IEnumerable<TrainingLeftover> leftovers)
    {
        ArgumentNullException.ThrowIfNull(leftovers);
        long freed = 0;
        foreach (var leftover in leftovers.Where(leftover => !leftover.Needed))
        {
            try
            {
                if (Directory.Exists(leftover.Path))
                    Directory.Delete(leftover.Path, recursive: true);
                else
                    File.Delete(leftover.Path);
                freed += leftover.Bytes;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new LabException($"{leftover.Path} cannot be deleted: {error.Message}", error);
            }
        }

        return freed;
    }

    private static TrainingLeftover Describe(string path, bool classPictures)
    {
        var name = System.IO.Path.GetFileName(path);
        if (Directory.Exists(path))
        {
            var bytes = new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
            var (what, needed) = classPictures ? ("class pictures; they are generated again when missing", false)
                : name.StartsWith("checkpoint-", StringComparison.Ordinal) ? ("a checkpoint: only for going on from there", false)
                : name == "photos" ? ("the prepared photos: your originals are elsewhere", false)
                : name == "damaged" ? ("photos spoiled for a demonstration", false)
                : name == "validation" ? ("validation pictures", true)
                : name == "logs" ? ("TensorBoard's files", true)
                : ("files of your own", true);
            return new(what, path, bytes, needed);
        }

        var kind = name.EndsWith(".safetensors", StringComparison.Ordinal) ? "a LoRA"
            : name is "recipe.json" ? "the recipe: makes the LoRA again"
            : name is "steps.jsonl" ? "the figures of every step" : "a file of your own";
        return new(kind, path, new FileInfo(path).Length, true);
    }
}
