using System.Globalization;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Display;

/// <summary>Views of a training: its pictures, its losses, its preparation and its files.</summary>
public static class TrainingViews
{
    private const int ShownNorms = 100;

    /// <summary>The pictures that a training uses, each with its prompt.</summary>
    /// <param name="config">Where they are.</param>
    /// <param name="columns">Pictures in a row.</param>
    /// <exception cref="LabException">The folder is missing, or a picture cannot be read.</exception>
    public static ImageGrid InstancePictures(this DreamBoothConfig config, int columns = 8)
    {
        ArgumentNullException.ThrowIfNull(config);
        List<GridCell> cells = [];
        var subjects = config.PerSubject();
        foreach (var subject in subjects)
        {
            var captions = CaptionFiles.Read(subject.InstanceDataDir, subject.ImageColumn, subject.CaptionColumn);
            var pictures = PictureFolder.Read(subject.InstanceDataDir, subject.OnBadImage, 1, captions.Listed).Pictures;
            string Details(PictureFile picture) =>
                $"{Path.GetFileName(picture.Path)}, {picture.Width} × {picture.Height}\n"
                + (captions.Of(picture.Path).Text ?? subject.InstancePrompt);
            cells.AddRange(pictures.Select(picture => GridCell.FromFile(picture.Path, details: Details(picture))));
        }

        var prompts = string.Join("”, “", subjects.Select(subject => ShownText.Line(subject.InstancePrompt)));
        return ImageGrid.Of(cells, columns) with
        {
            Title = $"{cells.Count} pictures of “{prompts}”",
            CellSize = 96,
            Embedding = PictureEmbedding.Thumbnail,
        };
    }

    /// <summary>Class pictures.</summary>
    /// <param name="paths">What <see cref="PriorPictures.Make"/> gave.</param>
    /// <param name="prompt">What they show.</param>
    /// <param name="columns">Pictures in a row.</param>
    public static ImageGrid ClassPictures(this IReadOnlyList<string> paths, string? prompt, int columns = 8)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return ImageGrid.Of(paths.Select(path => GridCell.FromFile(path, details: Path.GetFileName(path))), columns) with
        {
            Title = paths.Count == 0
                ? "No class pictures: prior preservation is off"
                : $"{paths.Count} pictures of “{ShownText.Line(prompt ?? string.Empty)}”, by the model itself",
            CellSize = 96,
            Embedding = PictureEmbedding.Thumbnail,
        };
    }

    /// <summary>The losses over the steps, with the loss at fixed noise levels where it was measured.</summary>
    /// <param name="records">The steps in order.</param>
    /// <param name="maxSteps">The last step of the axis; null for the last one done.</param>
    public static LossPlot Plot(this IReadOnlyList<StepRecord> records, int? maxSteps = null) => new()
    {
        Records = records,
        MaxSteps = maxSteps,
        Validation = [.. from record in records where record.ValidationLoss is not null select (record.Step, record.ValidationLoss!.Value)],
    };

    /// <summary>What a session has prepared: amount of data and number of trained parameters.</summary>
    /// <param name="session">The session.</param>
    /// <param name="modelParameters">Parameters of the whole model.</param>
    public static FactList Facts(this TrainingSession session, long modelParameters)
    {
        ArgumentNullException.ThrowIfNull(session);
        var trained = session.Adapter.Parameters.numel();
        return new FactList(
        [
            ("instance pictures", Count(session.Dataset.InstanceCount)),
            ("class pictures", Count(session.Dataset.ClassCount)),
            ("layers with LoRA", Count(session.Adapter.Layers.Count)),
            ("parameters that learn", Count(trained)),
            ("of the model's parameters", string.Create(CultureInfo.InvariantCulture, $"{100.0 * trained / modelParameters:0.##} %")),
            ("steps done", $"{Count(session.StepsDone)} of {Count(session.MaxSteps)}"),
        ]);
    }

    /// <summary>
    /// The validation pictures of a run: one row for each of them, one column for each step, so that a row shows one noise turning into the
    /// subject.
    /// </summary>
    /// <param name="config">The run's configuration.</param>
    /// <param name="rows">Rows at most.</param>
    public static ImageGrid ValidationPictures(this DreamBoothConfig config, int rows = 4)
    {
        ArgumentNullException.ThrowIfNull(config);
        var pictures = ValidationPicture.List(config.OutputDir).Where(picture => picture.Index < rows);
        return ImageGrid.By(
            pictures, picture => $"noise {picture.Index}", picture => picture.Step == 0 ? "before" : $"step {picture.Step}",
            picture => GridCell.FromFile(picture.Path, details: config.ValidationPrompt ?? string.Empty)) with
        {
            Title = $"“{ShownText.Line(config.ValidationPrompt ?? string.Empty)}” during training",
            CellSize = 104,
            Embedding = PictureEmbedding.Thumbnail,
        };
    }

    /// <summary>Scores of the validation pictures over the steps, with the real pictures' own fidelity as the target line.</summary>
    /// <param name="readings">What <see cref="ValidationReading.Of"/> gave; may be empty.</param>
    /// <param name="judge">What scored them.</param>
    public static LineChart Chart(this IReadOnlyList<ValidationReading> readings, IPictureJudge judge)
    {
        ArgumentNullException.ThrowIfNull(readings);
        ArgumentNullException.ThrowIfNull(judge);
        List<ChartSeries> series =
        [
            .. readings.SelectMany(reading => reading.Scores.Keys).Distinct().Select(score => ChartSeries.Of(
                score, readings.Select(reading => (double)reading.Step),
                readings.Select(reading => reading.Scores.GetValueOrDefault(score, double.NaN))) with
            { Mark = ChartMark.LineAndPoints }),
        ];
        if (series.Count > 0 && !double.IsNaN(judge.Ceiling))
            series.Add(
                ChartSeries.Of(
                    "real pictures among themselves", [readings[0].Step, readings[^1].Step], [judge.Ceiling, judge.Ceiling]) with
                { Mark = ChartMark.Dashed });
        return new LineChart
        {
            Title = "Scores of the validation pictures",
            XTitle = "step",
            YTitle = $"by {judge.Name}",
            Height = 200,
            Series = series,
            Caption = series.Count > 0 ? string.Empty : readings.Count == 0 ? "There are no validation pictures." : judge.Name,
        };
    }

    /// <summary>
    /// Lengths of the gradients over the steps, before clipping: of everything that is trained, and of each model. Running means, of long
    /// trainings every few steps.
    /// </summary>
    /// <param name="records">The steps that were done, in order; those that are not finite are skipped.</param>
    /// <param name="clippedAt">The length to which longer ones were clipped (<c>max_grad_norm</c>), or null.</param>
    public static LineChart GradientNorms(this IReadOnlyList<StepRecord> records, double? clippedAt = null)
    {
        ArgumentNullException.ThrowIfNull(records);
        var series = NormSeries(records);
        if (series.Count > 0 && clippedAt is { } most)
            series.Add(
                ChartSeries.Of("clipped at", [records[0].Step, records[^1].Step], [most, most]) with { Mark = ChartMark.Dashed });
        return new LineChart
        {
            Title = "Lengths of the gradients",
            XTitle = "step",
            YTitle = "norm, running mean",
            Height = 200,
            LogY = true,
            Series = series,
            Caption = series.Count > 0 ? string.Empty : "No training step was done.",
        };
    }

    /// <summary>The lines of <see cref="GradientNorms"/>: of everything, and of each model where several are trained.</summary>
    internal static List<ChartSeries> NormSeries(IReadOnlyList<StepRecord> records)
    {
        var (reach, every) = (Math.Max(8, records.Count / 15), (records.Count / ShownNorms) + 1);
        IEnumerable<double> Shown(IEnumerable<double> values) => values.Where((_, i) => (i + 1) % every == 0);
        ChartSeries Of(string name, Func<StepRecord, double> norm) => ChartSeries.Of(
            name, Shown(records.Select(record => (double)record.Step)), Shown(LossPlot.RunningMean(records.Select(norm), reach)));
        var parts = records.SelectMany(record => record.GradNorms?.Keys ?? []).Distinct().Order(StringComparer.Ordinal);
        return
        [
            .. records.Count == 0 ? Array.Empty<ChartSeries>() : [Of("all", record => record.GradNorm)],
            .. parts.Select(part => Of(part, record => record.GradNorms?.GetValueOrDefault(part, double.NaN) ?? double.NaN)),
        ];
    }

    /// <summary>Scores of the first and the last validation pictures, beside what is expected; scores that none has are left out.</summary>
    /// <param name="readings">What <see cref="ValidationReading.Of"/> gave; may be empty.</param>
    /// <param name="judge">What scored them.</param>
    /// <param name="expected">Expectations in words.</param>
    public static TextTable Beside(
        this IReadOnlyList<ValidationReading> readings, IPictureJudge judge,
        params (string Score, string Before, string After)[] expected)
    {
        ArgumentNullException.ThrowIfNull(readings);
        ArgumentNullException.ThrowIfNull(judge);
        ArgumentNullException.ThrowIfNull(expected);
        var rows = expected.Where(row => readings.Any(reading => reading.Scores.ContainsKey(row.Score))).ToList();
        string Value(int place, string score) => SweepViews.Figure(readings[place].Scores, score);
        return TextTable.Of(
            rows,
            ("Score", row => row.Score), ("Before", row => Value(0, row.Score)), ("Expected", row => row.Before),
            ("After", row => Value(readings.Count - 1, row.Score)), ("Expected ", row => row.After)) with
        {
            Note = rows.Count == 0
                ? judge.Name
                : $"Steps {readings[0].Step} and {readings[^1].Step}, from the validation pictures, by {judge.Name}.",
        };
    }

    /// <summary>The files of a run, with their sizes; checkpoint folders in one line each.</summary>
    /// <param name="config">The run's configuration.</param>
    public static TextTable Files(this DreamBoothConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var root = new DirectoryInfo(config.OutputDir);
        var entries = root.GetFileSystemInfos().Where(entry => !entry.Name.StartsWith('.'))
            .OrderBy(entry => LoraCheckpoints.StepOf(entry.Name) ?? -1).ThenBy(entry => entry.Name, StringComparer.Ordinal);
        return TextTable.Of(
            entries.ToList(),
            ("Under " + ProjectFolder.Near(config.OutputDir), entry => entry is DirectoryInfo ? entry.Name + "/" : entry.Name),
            ("Size", entry => Size(entry)), ("What it is", entry => Purpose(entry.Name)));
    }

    private static string Purpose(string name) => name switch
    {
        LoraFile.DefaultName => "the LoRA: diffusers loads it, and so does generate --lora",
        "recipe.json" => "every option of the run: train --config repeats it",
        StepLog.FileName => "a line for each step: losses, rates, gradients, times",
        "validation" => "the pictures generated during training",
        "logs" => "the same for TensorBoard, with the pictures",
        "class" => "the class pictures of prior preservation",
        _ when LoraCheckpoints.StepOf(name) is { } step => $"the LoRA after {step} steps, and what is needed to resume from there",
        _ => string.Empty,
    };

    private static string Size(FileSystemInfo entry)
    {
        var bytes = entry is FileInfo file
            ? file.Length
            : ((DirectoryInfo)entry).EnumerateFiles("*", SearchOption.AllDirectories).Sum(inner => inner.Length);
        return string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.00} MB");
    }

    private static string Count(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);
}
