using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// The pictures of folders. Prompts and seeds come from a sweep's <c>results.jsonl</c> or from what <c>generate</c> wrote into each
/// picture; pictures without either have no prompt.
/// </summary>
internal static class FolderPictures
{
    // Contact sheets and thumbnails lie beside the pictures that they show.
    private const string Sheet = "sheet";

    /// <summary>The family (<see cref="SweepItem.Family"/>) of pictures of the class prompt.</summary>
    public const string OfClass = "class";

    /// <summary>Reads folders.</summary>
    /// <param name="folders">At least one.</param>
    /// <param name="classPrompt">The class prompt; null for none.</param>
    /// <returns>One set for each LoRA and scale of a sweep, else one for each folder; in the folders' order.</returns>
    /// <exception cref="LabException">A folder is missing, has no picture, or a picture of its records is missing.</exception>
    public static IReadOnlyList<PictureSet> Read(IReadOnlyList<string> folders, string? classPrompt)
    {
        string[] full = [.. folders.Select(folder => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)))];
        if (full.GroupBy(folder => folder).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new LabException($"The folder {twice.Key} is named twice.");
        string[] last = [.. full.Select(folder => Path.GetFileName(folder))];
        var unique = last.Distinct(StringComparer.Ordinal).Count() == last.Length;
        PictureSet[] sets = [.. folders.Index().SelectMany(entry =>
            Sets(entry.Item, unique ? last[entry.Index] : entry.Item, folders.Count > 1, classPrompt))];
        // Without another set to compare, the base model is what is evaluated.
        return sets.All(set => set.Name.IsBase) ? [.. sets.Select(set => set with { Name = set.Name with { IsBase = false } })] : sets;
    }

    private static IEnumerable<PictureSet> Sets(string folder, string name, bool isOneOfSeveral, string? classPrompt)
    {
        if (!Directory.Exists(folder))
            throw new LabException($"The folder of pictures {folder} does not exist.");
        var records = SweepLog.Read(folder);
        return records.Count > 0 ? OfSweep(folder, records, isOneOfSeveral ? name : null, classPrompt)
            : [OfFiles(folder, name, classPrompt)];
    }

    private static IEnumerable<PictureSet> OfSweep(
        string folder, IReadOnlyList<SweepResult> records, string? prefix, string? classPrompt)
    {
        if (records.FirstOrDefault(record => !File.Exists(Path.Combine(folder, record.Path))) is { } missing)
            throw new LabException($"{folder} has a record of {missing.Path}, but the picture is missing. Generate the sweep again.");
        return records.GroupBy(record => PictureSetName.Of(record.Item)).Select(group => new PictureSet(
            prefix is null ? group.Key
                : group.Key with { Name = $"{prefix}: {group.Key.Name}", Stage = $"{prefix}: {group.Key.Stage}" },
            Numbered(group.Select(record => Of(folder, record, classPrompt)))));
    }

    /// <summary>A picture of a sweep, not yet scored.</summary>
    internal static PictureScores Of(string folder, SweepResult record, string? classPrompt) => new()
    {
        Path = Path.Combine(folder, record.Path),
        Prompt = record.Item.Prompt,
        Seed = record.Item.Seed,
        Lora = record.Item.Lora,
        Scale = record.Item.Lora is null ? null : record.Item.LoraScale,
        IsOfClass = record.Item.Family == OfClass || record.Item.Prompt == classPrompt,
    };

    private static PictureSet OfFiles(string folder, string name, string? classPrompt)
    {
        string[] files = [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(file => PictureName.Is(file) && Path.GetFileNameWithoutExtension(file) != Sheet
                && Path.GetFileName(Path.GetDirectoryName(file)) != PromptFolders.Thumbnails).Order(StringComparer.Ordinal)];
        if (Directory.EnumerateFiles(folder, SweepLog.FileName, SearchOption.AllDirectories).FirstOrDefault() is { } log)
        {
            throw new LabException(
                $"{folder} holds a sweep in {Path.GetDirectoryName(log)}; name that folder, whose records tell its pictures apart.");
        }

        if (files.Length == 0)
            throw new LabException($"There are no pictures in {folder}; valid endings are {string.Join(", ", PictureName.Endings)}.");
        var read = files.AsParallel().AsOrdered().Select(file => (File: file, Note: Note(file))).ToArray();
        PictureScores[] pictures =
            [.. read.Select(entry => (entry.Note ?? new PictureScores { Path = string.Empty }) with { Path = entry.File })
                .Select(picture => picture with { IsOfClass = picture.Prompt is not null && picture.Prompt == classPrompt })];
        string?[] loras = [.. pictures.Select(picture => picture.Lora).Distinct()];
        var isBase = read.All(entry => entry.Note is not null) && loras is [null];
        double?[] scales = [.. pictures.Select(picture => picture.Scale).Distinct()];
        return new PictureSet(
            new PictureSetName(name, name, loras.Length == 1 ? loras[0] : null, scales.Length == 1 ? scales[0] : null, isBase),
            Numbered(pictures));
    }

    // Several pictures of one prompt and seed, as generate makes them, are told apart by their order.
    private static PictureScores[] Numbered(IEnumerable<PictureScores> pictures)
    {
        var counts = new Dictionary<(string?, ulong?), int>();
        return [.. pictures.Select(picture =>
        {
            var key = (picture.Prompt, picture.Seed);
            var index = counts.GetValueOrDefault(key);
            counts[key] = index + 1;
            return picture with { Index = index };
        })];
    }

    private static PictureScores? Note(string file)
    {
        if (PictureNotes.Read(file, File.ReadAllBytes(file)) is not { } note)
            return null;
        try
        {
            var settings = JsonField.Parse(note, file);
            string[] loras = [.. settings.Find("lora")?.Items().Select(lora => lora.Text()) ?? []];
            double[] scales = [.. settings.Find("lora_scale")?.Items().Select(scale => scale.Number()) ?? []];
            return new PictureScores
            {
                Path = file,
                Prompt = settings.Get("prompt").Text(),
                Seed = (ulong)settings.Get("seed").Whole(0),
                Lora = loras.Length == 0 ? null : string.Join(" and ", loras),
                Scale = scales.Length == 1 ? scales[0] : null,
            };
        }
        catch (LabException)
        {
            // A note of something else, such as a class picture's.
            return null;
        }
    }
}
