using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary>How two trainings differ: in their recipes, in what they learn from, and in what came of it.</summary>
internal sealed record RunDifference
{
    private const string None = "–";

    // Where a training writes, and whether it goes on, changes nothing of what it learns.
    private static readonly string[] Places =
        [nameof(DreamBoothConfig.OutputDir), nameof(DreamBoothConfig.OverwriteOutputDir), nameof(DreamBoothConfig.ResumeFromCheckpoint)];

    /// <summary>The options whose values differ.</summary>
    public required IReadOnlyList<RunOption> Recipe { get; init; }

    /// <summary>Whether all pictures and prompts are the same; null where one of the two has no record of it.</summary>
    public required bool? SameData { get; init; }

    /// <summary>Instance pictures of the second that the first has not, by content.</summary>
    public IReadOnlyList<string> Added { get; init; } = [];

    /// <summary>Instance pictures of the first that the second has not, by content.</summary>
    public IReadOnlyList<string> Removed { get; init; } = [];

    /// <summary>Pictures of both whose captions differ.</summary>
    public IReadOnlyList<RunOption> Captions { get; init; } = [];

    /// <summary>Figures of both, by name; those that only one has are there too.</summary>
    public required IReadOnlyList<(string Name, double? First, double? Second)> Figures { get; init; }

    /// <summary>Whether recipes or data differ.</summary>
    public bool IsAny => Recipe.Count > 0 || SameData == false || Added.Count + Removed.Count + Captions.Count > 0;

    /// <summary>Compares two trainings.</summary>
    /// <param name="first">The one.</param>
    /// <param name="second">The other.</param>
    public static RunDifference Between(TrainingRun first, TrainingRun second)
    {
        var difference = new RunDifference
        {
            Recipe = Options(first.Recipe, second.Recipe),
            SameData = first.Record is null || second.Record is null ? null : first.Record.DataSha256 == second.Record.DataSha256,
            Figures = FiguresOf(first, second),
        };
        if (first.Record is null || second.Record is null)
            return difference;
        var (one, two) = (ByContent(first.Record), ByContent(second.Record));
        return difference with
        {
            Added = [.. two.Where(picture => !one.ContainsKey(picture.Key)).Select(picture => picture.Value.Name)],
            Removed = [.. one.Where(picture => !two.ContainsKey(picture.Key)).Select(picture => picture.Value.Name)],
            Captions =
            [
                .. from picture in two
                   where one.TryGetValue(picture.Key, out var before) && before.Caption != picture.Value.Caption
                   select new RunOption(picture.Value.Name, one[picture.Key].Caption ?? None, picture.Value.Caption ?? None),
            ],
        };
    }

    /// <summary>The options whose values differ, but for output folders and resuming.</summary>
    public static IReadOnlyList<RunOption> Options(DreamBoothConfig first, DreamBoothConfig second) =>
    [
        .. from flag in DreamBoothConfig.Flags.All
           where !Places.Contains(flag.Property.Name)
           let one = Text(flag.Property.GetValue(first))
           let two = Text(flag.Property.GetValue(second))
           where one != two
           select new RunOption(flag.Name, one, two),
    ];

    private static string Text(object? value) => value is null ? None
        : value is IReadOnlyList<string> list ? string.Join(", ", list) : Flag.Format(value);

    private static Dictionary<string, RunPicture> ByContent(RunRecord record) =>
        record.Pictures.DistinctBy(picture => picture.Sha256).ToDictionary(picture => picture.Sha256, StringComparer.Ordinal);

    private static List<(string, double?, double?)> FiguresOf(TrainingRun first, TrainingRun second)
    {
        double? Score(TrainingRun run, string name) => run.Scored?.Scores!.TryGetValue(name, out var value) == true ? value : null;
        var names = new[] { first, second }.SelectMany(run => run.Scored?.Scores!.Keys ?? []).Distinct(StringComparer.Ordinal);
        return
        [
            ("steps", first.Steps, second.Steps), ("loss of the last steps", first.LastLoss, second.LastLoss),
            .. names.Select(name => (name, Score(first, name), Score(second, name))),
        ];
    }
}

/// <summary>A value that differs between two trainings.</summary>
/// <param name="Name">Of the option or picture.</param>
/// <param name="First">Its value in the first.</param>
/// <param name="Second">Its value in the second.</param>
internal sealed record RunOption(string Name, string First, string Second);
