using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Hub;

/// <summary>
/// Chooses the pictures of an image-folder dataset: those of one folder, with the list or the text files that caption them. A folder train
/// counts, folders of other splits do not, as in Hugging Face's datasets.
/// </summary>
internal static class DatasetSelection
{
    private static readonly string[] Train = ["train", "training"];
    private static readonly string[] OtherSplits = ["test", "testing", "eval", "evaluation", "validation", "valid", "val", "dev"];
    private static readonly string[] Lists = ["metadata.jsonl", "metadata.csv"];
    private static readonly string[] Captions = [".txt", ".caption"];
    private static readonly string[] Packed = [".parquet", ".arrow", ".tar", ".zip", ".gz", ".tgz", ".7z", ".rar", ".h5", ".hdf5"];

    /// <summary>The files that are needed.</summary>
    /// <param name="files">Every file, as paths from the dataset's root.</param>
    /// <param name="part">The folder with the pictures, by its path or the end of it; null or default for the one that has any.</param>
    /// <param name="source">The dataset's name, for messages.</param>
    /// <exception cref="HubException">It holds no pictures as files, or they lie in several folders.</exception>
    public static FileChoice Choose(IReadOnlyCollection<string> files, string? part, string source)
    {
        List<string> seen = [.. files.Where(file => !file.StartsWith('.') && !file.Contains("/.", StringComparison.Ordinal))];
        var root = part is null or "default" ? TrainFolder(seen) : FolderNamed(part, seen, source);
        var isNamed = part is not (null or "default");
        List<string> inside = [.. seen.Where(file => IsUnder(file, root) && (isNamed || !IsOtherSplit(file, root)))];
        List<string> pictures = [.. inside.Where(PictureName.Is)];
        if (pictures.Count == 0)
            throw NoPictures(seen, root, source);
        var folders = Folders(pictures);
        var lists = Folders(inside.Where(IsList)).Where(folder => pictures.Exists(file => IsUnder(file, folder))).ToList();
        if (lists.Count == 1)
            return new([.. pictures.Where(file => IsUnder(file, lists[0])), .. Beside(inside, lists[0], pictures)], []);
        if (lists.Count > 1 || (folders.Count > 1 && folders[0] != root))
            throw Several(lists.Count > 1 ? lists : folders, source);
        List<string> own = [.. pictures.Where(file => FolderOf(file) == folders[0])];
        string[] notes = folders.Count == 1 ? [] :
        [
            $"Of {source} the {own.Count} pictures of its {(root.Length == 0 ? "top" : root)} are taken, and none of the folders "
            + $"{ShownText.Names(folders[1..])}; dataset_config_name names a folder.",
        ];
        return new([.. own, .. Beside(inside, folders[0], own)], notes);
    }

    /// <summary>The folder of what was chosen, as a path from the dataset's root; empty for the root.</summary>
    /// <param name="chosen">The chosen files, at least one picture.</param>
    public static string FolderOf(IReadOnlyList<string> chosen) => FolderOf(chosen.FirstOrDefault(IsList) ?? chosen.First(PictureName.Is));

    private static string FolderOf(string file) => file[..Math.Max(0, file.LastIndexOf('/'))];

    private static bool IsUnder(string file, string folder) =>
        folder.Length == 0 || file.StartsWith(folder + "/", StringComparison.Ordinal);

    private static bool IsList(string file) => Lists.Contains(file[(file.LastIndexOf('/') + 1)..], StringComparer.Ordinal);

    private static bool IsOtherSplit(string file, string root) =>
        FolderOf(file)[Math.Min(FolderOf(file).Length, root.Length)..].Split('/')
            .Any(name => OtherSplits.Contains(name, StringComparer.OrdinalIgnoreCase));

    // The shallowest first.
    private static List<string> Folders(IEnumerable<string> files) =>
        [.. files.Select(FolderOf).Distinct().OrderBy(folder => folder.Length == 0 ? 0 : folder.Split('/').Length)
            .ThenBy(folder => folder, StringComparer.Ordinal)];

    private static string TrainFolder(List<string> files) => Folders(files.Where(PictureName.Is)).SelectMany(Ancestors).FirstOrDefault(
        folder => Train.Contains(folder[(folder.LastIndexOf('/') + 1)..], StringComparer.OrdinalIgnoreCase)) ?? string.Empty;

    private static IEnumerable<string> Ancestors(string folder) =>
        Enumerable.Range(0, folder.Length + 1).Where(length => length > 0 && (length == folder.Length || folder[length] == '/'))
            .Select(length => folder[..length]);

    private static string FolderNamed(string part, List<string> files, string source)
    {
        var name = part.Trim('/');
        List<string> all = [.. Folders(files).SelectMany(Ancestors).Distinct()];
        List<string> found = all.Contains(name) ? [name] : [.. all.Where(folder => folder.EndsWith("/" + name, StringComparison.Ordinal))];
        return found.Count switch
        {
            1 => found[0],
            0 => throw new HubException(
                HubErrorKind.FileNotFound,
                $"{source} has no folder '{ShownText.Line(part)}', as dataset_config_name says. "
                + ShownText.Line(NearestNames.Describe(name, all), 300)),
            _ => throw Several(found, source),
        };
    }

    private static IEnumerable<string> Beside(List<string> files, string folder, List<string> pictures)
    {
        var stems = pictures.Select(file => Path.ChangeExtension(file, null)).ToHashSet(StringComparer.Ordinal);
        return files.Where(file => (IsList(file) && FolderOf(file) == folder)
            || (Captions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase)
                && stems.Contains(Path.ChangeExtension(file, null))));
    }

    private static HubException Several(List<string> folders, string source) => new(
        HubErrorKind.FileNotFound,
        $"The pictures of {source} lie in {folders.Count} folders: {ShownText.Names(folders, 8)}. Name one with dataset_config_name; "
        + "several at a time are trained with subjects.");

    private static HubException NoPictures(List<string> files, string root, string source)
    {
        var where = root.Length == 0 ? source : $"{root} of {source}";
        var packed = files.FirstOrDefault(file => IsUnder(file, root) && Packed.Contains(
            Path.GetExtension(file), StringComparer.OrdinalIgnoreCase));
        var endings = string.Join(", ", PictureName.Endings);
        return new(HubErrorKind.FileNotFound, packed is null
            ? $"{where} holds no pictures ({endings})."
            : $"{where} holds no pictures as files ({endings}); it keeps them inside others, such as {ShownText.Line(packed)}, which are "
                + "not read here. Write them out once, where Python and its datasets run: for i, row in enumerate(load_dataset(NAME, "
                + "split=\"train\")): row[\"image\"].convert(\"RGB\").save(f\"photos/{i:04}.png\"). Then give instance_data_dir photos "
                + "instead.");
    }
}
