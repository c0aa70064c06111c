using System.Globalization;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary>The page of a queue: how far each training is, all losses and scores, and the last pictures side by side.</summary>
/// <param name="file">The queue's file.</param>
/// <param name="entries">The trainings.</param>
/// <param name="state">What became of them.</param>
/// <param name="isRunning">Whether the page will be written again: it then loads itself anew.</param>
internal sealed class QueuePage(string file, IReadOnlyList<QueueEntry> entries, QueueState state, bool isRunning)
{
    public const string FileName = "queue.html";

    private const int RefreshSeconds = 15;
    private const int LinesInChart = 8;
    private const int PointsOfLine = 300;
    private const int MostPictures = 6;
    private const int PictureSize = 160;
    private const string None = "–";

    private static readonly HtmlView[] NoViews = [];

    private readonly IReadOnlyList<Row> _rows = [.. entries.Select(entry => Row.Of(entry, state.Of(entry)))];

    /// <summary>Builds the page.</summary>
    public Report Build() => new()
    {
        Title = $"{Count(RunState.Finished)} of {entries.Count} trainings done",
        Lead = Lead(),
        Facts =
        [
            .. new[] { RunState.Finished, RunState.Running, RunState.Failed, RunState.Interrupted }
                .Where(each => Count(each) > 0).Select(each => (Name(each), Number(Count(each)))),
            .. _rows.Count(row => row.Record is null) is var waiting and > 0
                ? [("waiting", Number(waiting))] : Array.Empty<(string, string)>(),
            ("steps done", Number(_rows.Sum(row => row.Run?.Steps ?? 0))),
        ],
        Sections = [Trainings(), .. Losses(), .. Scores(), .. Pictures(), .. Settings(), .. Errors()],
        Footer = isRunning
            ? string.Create(
                CultureInfo.InvariantCulture, $"Written {DateTimeOffset.UtcNow:yyyy-MM-dd HH:mm:ss} UTC; loaded anew by itself.")
            : "The queue has ended. The same command goes on with what is not done, and does again what failed.",
        RefreshSeconds = isRunning ? RefreshSeconds : null,
    };

    private string Lead() => _rows.FirstOrDefault(row => row.Record?.State == RunState.Running) is { } row
        ? $"{row.Entry.Name} is trained now{(row.Run is { Steps: > 0 } run ? $", step {run.Steps}{Of(run.MaxSteps)}" : string.Empty)}. "
            + $"The queue is {Path.GetFileName(file)}."
        : $"The queue {Path.GetFileName(file)}.";

    private ReportSection Trainings() => new(
        "Trainings", string.Empty,
        [TextTable.Of(
            _rows, ("", row => Number(row.Entry.Line)), ("Training", row => row.Entry.Name), ("State", row => StateOf(row)),
            ("Steps", row => row.Run is { } run ? $"{run.Steps}{Of(run.MaxSteps)}" : null),
            ("Loss", row => row.Run?.LastLoss is { } loss ? Figure(loss) : null),
            ("Time", row => row.Run is { Records.Count: > 0 } run ? Duration(run.Records.Sum(record => record.Seconds)) : null),
            ("Folder", row => ProjectFolder.Near(row.Entry.Config.OutputDir))) with
        { Note = "First the line in the queue. Loss: mean of the last ten steps. Time: of the steps alone." }]);

    private IEnumerable<ReportSection> Losses()
    {
        var lines = Curves(record => record.Loss, smooth: true);
        if (lines.Count > 0)
        {
            yield return new ReportSection(
                "Loss", "Running means of the loss over the steps. Losses of other resolutions, weightings or data cannot be compared.",
                [.. Charts(lines, "loss, running mean")]);
        }
    }

    private IEnumerable<ReportSection> Scores()
    {
        string[] names = [.. _rows.SelectMany(row => row.Run?.Records ?? []).SelectMany(record => record.Scores?.Keys ?? [])
            .Distinct(StringComparer.Ordinal)];
        if (names.Length == 0)
            yield break;
        yield return new ReportSection(
            "Scores", "Mean scores of the validation pictures.",
            [.. names.SelectMany(name => Charts(
                Curves(record => record.Scores?.TryGetValue(name, out var value) == true ? value : double.NaN, smooth: false), name))]);
    }

    private List<ChartSeries> Curves(Func<StepRecord, double> value, bool smooth)
    {
        List<ChartSeries> lines = [];
        foreach (var row in _rows.Where(row => row.Run is not null))
        {
            var records = row.Run!.Records;
            var values = records.Select(value).ToList();
            if (!values.Exists(double.IsFinite))
                continue;
            var points = records.Zip(smooth ? LossPlot.RunningMean(values, Math.Max(8, records.Count / 15)) : values)
                .Where(point => double.IsFinite(point.Second)).ToList();
            lines.Add(new ChartSeries
            {
                Name = row.Entry.Name,
                Mark = smooth ? ChartMark.Line : ChartMark.LineAndPoints,
                X = [.. points.Select(point => (double)point.First.Step)],
                Y = [.. points.Select(point => point.Second)],
            }.Thin(PointsOfLine));
        }

        return lines;
    }

    private static IEnumerable<HtmlView> Charts(IReadOnlyList<ChartSeries> lines, string title) =>
        lines.Chunk(LinesInChart).Select(some => new LineChart { Series = some, XTitle = "step", YTitle = title });

    private IEnumerable<ReportSection> Pictures()
    {
        var shown = _rows.Select(row => (row.Entry.Name, row.Pictures)).Where(row => row.Pictures.Count > 0).ToList();
        if (shown.Count == 0)
            yield break;
        var columns = shown.Max(row => row.Pictures.Count);
        yield return new ReportSection(
            "Last pictures",
            "The newest validation pictures of each training; of the same seed, those of a column have the same noise.",
            [new ImageGrid
            {
                Rows = [.. shown.Select(row => row.Pictures.Select(picture => GridCell.FromFile(
                    picture.Path, $"step {picture.Step}", $"{row.Name}, step {picture.Step}")).ToArray())],
                RowHeadings = [.. shown.Select(row => row.Name)],
                ColumnHeadings = [.. Enumerable.Range(1, columns).Select(Number)],
                CellSize = PictureSize,
            }]);
    }

    private IEnumerable<ReportSection> Settings()
    {
        if (entries.Count < 2)
            yield break;
        var differing = entries.SelectMany(entry => RunDifference.Options(entries[0].Config, entry.Config)).Select(option => option.Name)
            .Distinct(StringComparer.Ordinal).Select(name => DreamBoothConfig.Flags.Find(name)!).ToList();
        yield return new ReportSection(
            "What differs",
            differing.Count == 0 ? "Nothing but the output folders." : "The options that are not the same in all trainings.",
            differing.Count == 0 ? NoViews :
            [
                new TextTable
                {
                    Columns = ["Training", .. differing.Select(flag => flag.Name)],
                    Rows = [.. entries.Select(
                        entry => (IReadOnlyList<string>)[entry.Name, .. differing.Select(flag => Value(flag, entry))])],
                },
            ]);
    }

    private static string Value(Flag flag, QueueEntry entry) =>
        flag.Property.GetValue(entry.Config) is { } value ? ShownText.Line(Flag.Format(value), 80) : None;

    private IEnumerable<ReportSection> Errors()
    {
        var failed = _rows.Where(row => row.Record?.Message is not null).ToList();
        if (failed.Count > 0)
        {
            yield return new ReportSection(
                "What failed", string.Empty,
                [TextTable.Of(failed, ("Training", row => row.Entry.Name), ("Error", row => ShownText.Line(row.Record!.Message!, 1000)))]);
        }
    }

    private int Count(RunState state) => _rows.Count(row => row.Record?.State == state);

    private static string StateOf(Row row) => row.Record is { } record ? Name(record.State) : "waiting";

    private static string Name(RunState state) => EnumNames.Of(state);

    private static string Of(int? steps) => steps is { } most ? string.Create(CultureInfo.InvariantCulture, $" of {most}") : string.Empty;

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Figure(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);

    private static string Duration(double seconds) =>
        seconds < 100 ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s")
        : TimeSpan.FromSeconds(seconds).ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture);

    // What an earlier training left in the folder of one that waits is not this queue's.
    private sealed record Row(QueueEntry Entry, QueueRecord? Record, TrainingRun? Run, IReadOnlyList<ValidationPicture> Pictures)
    {
        public static Row Of(QueueEntry entry, QueueRecord? record)
        {
            var folder = entry.Config.OutputDir;
            if (record is null || !TrainingRun.Is(folder))
                return new(entry, record, null, []);
            try
            {
                var all = ValidationPicture.List(folder);
                return new(
                    entry, record, TrainingRun.Read(folder),
                    [.. all.Where(picture => picture.Step == all[^1].Step).OrderBy(picture => picture.Index).Take(MostPictures)]);
            }
            catch (Exception error) when (error is LabException or IOException)
            {
                return new(entry, record, null, []);
            }
        }
    }
}
