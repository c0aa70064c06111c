using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Planning;

/// <summary>Checks of what instance and class pictures show.</summary>
internal static class PictureChecks
{
    // All are decoded and compared with each other.
    private const int MostCompared = 100;
    private const int MostNamed = 20;

    /// <summary>Photos that are there twice, or look alike: what they show is learned more than the rest.</summary>
    /// <param name="config">The training.</param>
    /// <param name="folder">The instance pictures.</param>
    public static PreflightCheck Duplicates(DreamBoothConfig config, PictureFolder folder)
    {
        const string Subject = "duplicates";
        string[] same =
        [
            .. folder.Pictures.GroupBy(picture => new FileInfo(picture.Path).Length).Where(group => group.Count() > 1)
                .SelectMany(group => group.GroupBy(picture => FileHash.Sha256(picture.Path), StringComparer.Ordinal))
                .Where(group => group.Count() > 1)
                .Select(group => $"{string.Join(" = ", group.Select(picture => Name(picture.Path)))}: the same file"),
        ];
        string[] alike = folder.Pictures.Count > MostCompared ? [] : [.. PhotoReview.Of(config.InstanceDataDir, config.Resolution).Alike
            .Where(pair => FileHash.Sha256(pair.First.File.Path) != FileHash.Sha256(pair.Second.File.Path))
            .Select(pair => $"{pair.First.Name} and {pair.Second.Name} look alike ({pair.Distance} of 64 bits differ)")];
        var found = same.Concat(alike).ToList();
        var left = folder.Pictures.Count > MostCompared ? $"; of more than {MostCompared} pictures only files are compared" : string.Empty;
        return found.Count == 0
            ? new(Subject, PreflightStatus.Ok, $"no picture is there twice{left}")
            : new(
                Subject, PreflightStatus.Warning,
                $"{Count(same.Length, "picture")} there more than once, {Count(alike.Length, "pair")} that "
                + $"look{(alike.Length == 1 ? "s" : string.Empty)} alike: what they show is learned more than the rest{left}")
            {
                Details = found.Count <= MostNamed ? found : [.. found.Take(MostNamed), $"and {found.Count - MostNamed} more"],
            };
    }

    /// <summary>How many class pictures there are, and whether they are of this training's prompt and model.</summary>
    /// <param name="config">A training with prior preservation.</param>
    public static PreflightCheck Classes(DreamBoothConfig config)
    {
        const string Subject = "class pictures";
        try
        {
            var (there, remarks) = PriorPictures.There(config);
            var missing = config.NumClassImages - there;
            var prompt = ShownText.Line(config.ClassPrompt!);
            var found = $"{there} of {config.NumClassImages} in {ProjectFolder.Near(config.ClassDataDir!)}"
                + (missing > 0 ? $"; {missing} will be generated of “{prompt}”" : $", of “{prompt}”");
            return remarks.Count == 0
                ? new(Subject, PreflightStatus.Ok, found)
                : new(Subject, PreflightStatus.Warning, $"{found}. {string.Join(" ", remarks)}");
        }
        catch (LabException error)
        {
            return new(Subject, PreflightStatus.Problem, error.Message);
        }
    }

    /// <summary>The masks of all subjects together: of one subject all pictures may be opaque.</summary>
    /// <param name="config">A training with masks.</param>
    /// <param name="datasets">The subjects' pictures.</param>
    public static PreflightCheck Masks(DreamBoothConfig config, IReadOnlyList<DreamBoothDataset> datasets)
    {
        const string Subject = "masks";
        try
        {
            PictureFile[] pictures = [.. datasets.SelectMany(set => set.Subjects).SelectMany(subject => subject.Folder.Pictures)];
            var remarks = PictureMasks.Read(config.Mask, config.MaskDataDir, pictures)!.Remarks;
            return remarks.Count == 0
                ? new(Subject, PreflightStatus.Ok, $"{Count(pictures.Length, "mask")}, each of which leaves something out")
                : new(Subject, PreflightStatus.Warning, string.Join(" ", remarks));
        }
        catch (LabException error)
        {
            return new(Subject, PreflightStatus.Problem, error.Message);
        }
    }

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? string.Empty : "s")}";

    private static string Name(string path) => ShownText.Line(Path.GetFileName(path));
}
