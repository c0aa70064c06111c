using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>What a run will train on, reported before it starts: what is used and from where, and what is not used.</summary>
/// <param name="Lines">What there is, a line each.</param>
/// <param name="Warnings">What is left out, or seen otherwise than it looks, a sentence each.</param>
internal sealed record DatasetReport(IReadOnlyList<string> Lines, IReadOnlyList<string> Warnings)
{
    /// <summary>A crop that keeps less than this part of a picture is reported: all pictures longer than 5:2.</summary>
    public const double SmallPart = 0.4;

    private const int MostSkipped = 20;

    /// <summary>The instance pictures and their prompts.</summary>
    public static DatasetReport OfInstances(DreamBoothDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        List<string> lines = [];
        foreach (var (subject, captions, folder) in dataset.Subjects)
        {
            var sources = folder.Pictures.ToLookup(picture => captions.Of(picture.Path).Source);
            var repeats = subject.Repeats > 1 ? $", each {subject.Repeats} times an epoch" : string.Empty;
            var weight = subject.LossWeight == 1 ? string.Empty
                : string.Create(CultureInfo.InvariantCulture, $", with {subject.LossWeight:0.###} times the loss");
            var place = ProjectFolder.Near(subject.InstanceDataDir);
            var of = dataset.Subjects.Count == 1 ? string.Empty : $"Subject {(lines.Count / 2) + 1} of {dataset.Subjects.Count}: ";
            lines.Add($"{of}{Pictures(folder.Pictures.Count)} in {place}{repeats}{weight}{Left(folder)}");
            lines.Add(Captions(sources, subject.InstancePrompt, captions.ListName));
        }

        lines.AddRange(Sizes(dataset));
        var folders = dataset.Subjects.SelectMany(subject => Warn(subject.Folder, dataset.Options, dataset.KeptOf));
        return new(lines, [.. folders, .. OfCaptions(dataset), .. dataset.Masks?.Remarks ?? []]);
    }

    /// <summary>Pitfalls of the instance pictures' captions, one sentence each.</summary>
    public static IReadOnlyList<string> OfCaptions(DreamBoothDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        return [.. dataset.Subjects.SelectMany(OfCaptions)];
    }

    private static List<string> OfCaptions(SubjectPictures subject)
    {
        var (folder, captions) = (subject.Folder, subject.Captions);
        bool HasNone(PictureFile picture) => captions.Of(picture.Path).Source == CaptionSource.None;
        List<string> warnings = [];
        var trained = folder.Pictures.Select(picture => Path.GetFullPath(picture.Path));
        string[] unused = [.. captions.Listed.Except(trained, StringComparer.Ordinal).Select(file => Path.GetFileName(file))];
        if (unused.Length > 0)
            warnings.Add($"{captions.ListName} names {unused.Length} files that are not trained on: {ShownText.Names(unused)}.");
        List<string> without = [.. folder.Pictures.Where(HasNone).Select(picture => Path.GetFileName(picture.Path))];
        if (without.Count > 0 && (without.Count < folder.Pictures.Count || captions.Listed.Count > 0))
        {
            warnings.Add(
                $"{without.Count} of {Pictures(folder.Pictures.Count)} have no caption of their own and are trained on the instance prompt"
                + $": {ShownText.Names(without)}.");
        }

        return [.. captions.Remarks, .. warnings];
    }

    /// <summary>The class pictures and their prompts; empty without prior preservation.</summary>
    public static DatasetReport OfClasses(DreamBoothDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        List<string> lines = [];
        foreach (var (set, folder) in dataset.Classes)
        {
            var used = Math.Min(folder.Pictures.Count, set.Most ?? int.MaxValue);
            var of = folder.Pictures.Count > used ? $" of {folder.Pictures.Count}" : string.Empty;
            lines.Add(
                $"{used}{of} class pictures in {ProjectFolder.Near(set.Folder)}, with the prompt \"{ShownText.Line(set.Prompt)}\""
                + Left(folder));
        }

        // In buckets a class picture takes the size of the instance picture that it goes with.
        double KeptOf(PictureFile picture) => dataset.Options.AspectBuckets ? 1 : picture.Kept;
        return new(lines, [.. dataset.Classes.SelectMany(one => Warn(one.Folder, dataset.Options, KeptOf))]);
    }

    private static string Captions(ILookup<CaptionSource, PictureFile> sources, string prompt, string list)
    {
        int listed = sources[CaptionSource.List].Count(), texts = sources[CaptionSource.TextFile].Count();
        var without = sources[CaptionSource.None].Count();
        List<string> whence = [];
        if (listed > 0)
            whence.Add($"{listed} from {list}");
        if (texts > 0)
            whence.Add($"{texts} from text files");
        var own = listed + texts == 0
            ? "No captions of their own"
            : $"{listed + texts} with captions of their own ({string.Join(", ", whence)})";
        return without == 0 ? own : $"{own}; {without} with the instance prompt \"{ShownText.Line(prompt)}\"";
    }

    private static string Left(PictureFolder folder)
    {
        List<string> left = [];
        if (folder.Bad.Count > 0)
            left.Add($"{folder.Bad.Count} skipped");
        if (folder.NotEntered.Count > 0)
            left.Add($"{folder.NotEntered.Count} in subfolders not read");
        return left.Count == 0 ? string.Empty : $" ({string.Join(", ", left)})";
    }

    // What is trained on at which size, where there are several.
    private static IEnumerable<string> Sizes(DreamBoothDataset dataset)
    {
        if (!dataset.Options.AspectBuckets && dataset.Options.MoreResolutions.Count == 0)
            yield break;
        var sizes = Enumerable.Range(0, dataset.InstanceCount).GroupBy(dataset.SizeOf).OrderByDescending(size => size.Count())
            .ThenBy(size => size.Key.Width).ThenBy(size => size.Key.Height);
        yield return "Sizes an epoch: " + string.Join(", ", sizes.Select(size => $"{size.Key.Width}x{size.Key.Height} × {size.Count()}"));
    }

    private static IEnumerable<string> Warn(PictureFolder folder, DreamBoothDatasetOptions options, Func<PictureFile, double> keptOf)
    {
        foreach (var skipped in folder.Bad.Take(MostSkipped))
            yield return $"{ShownText.Line(skipped.Path, 300)} is skipped: {skipped.Reason}";
        if (folder.Bad.Count > MostSkipped)
            yield return $"{folder.Bad.Count - MostSkipped} more files of {folder.Path} are skipped.";
        if (folder.NotEntered.Count > 0)
        {
            yield return $"{Pictures(folder.NotEntered.Count)} in subfolders of {folder.Path} are not read: "
                + $"{ShownText.Names(folder.NotEntered)}. Move them up, or name them in {CaptionList.FileName}.";
        }

        var seen = folder.Pictures.Where(picture => picture.IsTransparent);
        string[] transparent = [.. seen.Select(picture => Path.GetFileName(picture.Path))];
        if (transparent.Length > 0)
        {
            yield return $"Where pictures of {folder.Path} are transparent, {AlphaColour.Parse(options.AlphaColor)} is trained on: "
                + $"{ShownText.Names(transparent)}.";
        }

        foreach (var picture in folder.Pictures.Where(picture => keptOf(picture) < SmallPart).Take(MostSkipped))
        {
            var kept = keptOf(picture).ToString("P0", CultureInfo.InvariantCulture);
            var crop = options.AspectBuckets ? "crop to the nearest bucket" : "square crop";
            yield return $"{ShownText.Line(Path.GetFileName(picture.Path))} has {picture.Width}x{picture.Height} pixels: the {crop} "
                + $"keeps {kept} of it. Cut out what it is to show.";
        }
    }

    private static string Pictures(int count) => count == 1 ? "1 picture" : $"{count} pictures";
}
