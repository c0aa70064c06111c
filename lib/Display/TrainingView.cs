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
            yield return Records.Plot(MaxSteps) with { MaxPoints = 160 };
        if (Pictures.Count > 0)
        {
            yield return ImageGrid.Of(
                Pictures.Select((picture, i) => GridCell.Of(picture.Image, details: $"validation picture {i}, after step {picture.Step}")),
                Pictures.Count) with
            {
                Title = Pictures[0].Step == 0 ? "Before the first step" : $"After step {Pictures[0].Step}",
                CellSize = 150,
            };
        }
    }
}
