using System.Globalization;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Display;

/// <summary>A snapshot of a training: progress, losses, and newest validation pictures. <see cref="TrainingMonitor"/> makes it.</summary>
public sealed record TrainingView : HtmlView
{
    /// <summary>Progress of the current stage; null where there is none.</summary>
    public ProgressBar? Bar { get; init; }

    /// <summary>The steps so far.</summary>
    public IReadOnlyList<StepRecord> Records { get; init; } = [];

    /// <summary>The run's last step; null for the last one done.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>The newest validation pictures, all of one step.</summary>
    public IReadOnlyList<(int Step, RgbImage Image)> Pictures { get; init; } = [];

    /// <summary>The pictures of the same noise and step whose prompt lacks the identifier; empty without <c>watch_steps</c>.</summary>
    public IReadOnlyList<(int Step, RgbImage Image)> PicturesWithout { get; init; } = [];

    /// <summary>What the run trains on, line by line.</summary>
    public IReadOnlyList<string> Summary { get; init; } = [];

    /// <summary>Warnings, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Whether what is shown has ended.</summary>
    public bool IsOver { get; init; }

    private string Empty => IsOver ? "There was nothing to do." : "Nothing has begun yet.";

    /// <summary>What the run trains on, progress, losses, and the number of pictures.</summary>
    public override string ToText() =>
        string.Join("\n", Summary.Concat(Parts().Select(part => part.ToText())).Concat(Warnings).DefaultIfEmpty(Empty));

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer)
    {
        foreach (var line in Summary)
            writer.Element("p", line, ("class", "lab-note"));
        foreach (var part in Parts())
            part.Write(writer);
        foreach (var warning in Warnings)
            writer.Element("p", warning, ("class", "lab-note"));
        if (!Parts().Any() && Warnings.Count == 0 && Summary.Count == 0)
            writer.Element("p", Empty, ("class", "lab-note"));
    }

    private IEnumerable<HtmlView> Parts()
    {
        if (Bar is not null)
            yield return Bar;
        if (Records.Count > 0)
            yield return Records.Plot(MaxSteps) with { MaxPoints = 160, WithGradients = true };
        if (Pictures.Count > 0)
            yield return PicturesWithout.Count > 0 || Watched.Count > 0 ? WatchedPictures() : PlainPictures();
    }

    private List<WatchedPicture> Watched =>
        Records.LastOrDefault(record => record.Step == Pictures[0].Step)?.Watched?.Where(one => one.Nearest is not null).ToList() ?? [];

    private string When => Pictures[0].Step == 0 ? "Before the first step" : $"After step {Pictures[0].Step}";

    private ImageGrid PlainPictures() => ImageGrid.Of(
        Pictures.Select((picture, i) => GridCell.Of(picture.Image, details: $"validation picture {i}, after step {picture.Step}")),
        Pictures.Count) with
    {
        Title = When,
        CellSize = 150,
    };

    // With the identifier, without it, and the photo that is the nearest to the first.
    private ImageGrid WatchedPictures()
    {
        var watched = Watched.ToDictionary(one => one.Index);
        string Likeness(double? value) => value is { } cosine ? cosine.ToString("0.00", CultureInfo.InvariantCulture) : string.Empty;
        List<(string Heading, GridCell?[] Cells)> rows =
        [
            ("with the identifier", [.. Pictures.Select((picture, i) => GridCell.Of(
                picture.Image, Likeness(watched.GetValueOrDefault(i)?.Similarity), $"validation picture {i}, after step {picture.Step}"))]),
        ];
        if (PicturesWithout.Count > 0)
        {
            rows.Add(("without it", [.. PicturesWithout.Select((picture, i) => GridCell.Of(
                picture.Image, Likeness(watched.GetValueOrDefault(i)?.WithoutSimilarity),
                $"the same noise, the prompt without the identifier, after step {picture.Step}"))]));
        }

        if (watched.Count > 0)
            rows.Add(("nearest photo", [.. Pictures.Select((_, i) => Nearest(watched.GetValueOrDefault(i)))]));
        return new ImageGrid
        {
            Rows = [.. rows.Select(row => row.Cells)],
            RowHeadings = [.. rows.Select(row => row.Heading)],
            Title = When + (watched.Count > 0 ? ". Figures: likeness to the nearest photo" : string.Empty),
            CellSize = 88,
            Embedding = PictureEmbedding.Thumbnail,
        };
    }

    private static GridCell? Nearest(WatchedPicture? watched) => watched?.Photo is not { } photo || !File.Exists(photo) ? null
        : GridCell.FromFile(photo, watched.IsCopy == true ? "a copy" : string.Empty, Path.GetFileName(photo));
}
