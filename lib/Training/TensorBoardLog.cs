using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Training;

/// <summary>
/// What TensorBoard shows of a run: its figures step by step, validation pictures, prompts and settings. No error of it ends a training:
/// where a file cannot be written, one warning says so, and no more is written.
/// </summary>
internal sealed class TensorBoardLog : IDisposable
{
    private readonly Action<string>? _warn;
    private EventFile? _file;

    private TensorBoardLog(Action<string>? warn) => _warn = warn;

    /// <summary>Opens a new event file of a run.</summary>
    /// <param name="config">The training, with its seed.</param>
    /// <param name="stepsDone">The steps that it goes on from; 0: a fresh run, the files of an earlier one are deleted.</param>
    /// <param name="next">The first step of which this run tells anew; readers drop what earlier files hold of it and later ones.</param>
    /// <param name="warn">Told where it cannot be written; or null.</param>
    /// <returns>Null where the configuration wants none.</returns>
    public static TensorBoardLog? Open(DreamBoothConfig config, int stepsDone, int next, Action<string>? warn)
    {
        if (config.BoardFolder is not { } folder)
            return null;
        var log = new TensorBoardLog(warn);
        log.Try(() =>
        {
            if (stepsDone == 0)
                Clear(folder);
            log._file = EventFile.Create(folder);
            if (stepsDone > 0)
                log._file.AddRestart(next);
            log._file.AddSettings(Settings(config), DateTimeOffset.UtcNow);
            foreach (var (tag, text) in Texts(config))
                log._file.AddText(stepsDone, tag, text);
        });
        return log;
    }

    /// <summary>Deletes the lab's own event files of a folder.</summary>
    public static void Clear(string folder)
    {
        foreach (var path in EventFile.List(folder))
            File.Delete(path);
    }

    /// <summary>Adds a step's figures.</summary>
    public void Add(StepRecord record) => Try(() =>
    {
        _file?.AddScalars(record.Step, Figures(record));
        if (record.Watched is { } pictures)
            _file?.AddText(record.Step, "watch", Table(pictures));
    });

    /// <summary>Adds a picture that lies in a PNG file.</summary>
    /// <param name="step">Its step.</param>
    /// <param name="tag">What it is.</param>
    /// <param name="image">The picture.</param>
    /// <param name="path">The file.</param>
    public void Add(int step, string tag, RgbImage image, string path) =>
        Try(() => _file?.AddImage(step, tag, (image.Width, image.Height), File.ReadAllBytes(path)));

    /// <summary>Says that the run is finished.</summary>
    public void End() => Try(() => _file?.AddEnd());

    /// <inheritdoc/>
    public void Dispose() => Try(() => Interlocked.Exchange(ref _file, null)?.Dispose());

    /// <summary>The figures of a step by their tags; <c>loss</c> and <c>lr</c> are the reference's.</summary>
    internal static IEnumerable<(string Tag, double Value)> Figures(StepRecord record)
    {
        (string Tag, double? Value)[] figures =
        [
            ("loss", record.Loss), ("loss/instance", record.InstanceLoss), ("loss/prior", record.PriorLoss),
            ("loss/validation", record.ValidationLoss), ("lr", record.LearningRate), ("lr/text_encoder", record.TextEncoderLr),
            ("lr/step_size", record.StepSize), ("grad_norm", record.GradNorm),
            .. (record.GradNorms ?? new Dictionary<string, double>()).Select(part => ($"grad_norm/{part.Key}", (double?)part.Value)),
            ("time/seconds", record.Seconds), ("time/images_per_second", record.ImagesPerSecond), ("memory/gib", record.MemoryGib),
            ("epoch", record.Epoch),
            ("watch/nearest", Mean(record, picture => picture.Similarity)),
            ("watch/without", Mean(record, picture => picture.WithoutSimilarity)),
            .. (record.Scores ?? new Dictionary<string, double>()).Select(score => ($"score/{score.Key}", (double?)score.Value)),
        ];
        return from figure in figures where figure.Value is not null select (figure.Tag, figure.Value!.Value);
    }

    private static double? Mean(StepRecord record, Func<WatchedPicture, double?> value) => record.Watched?.Average(value);

    private static string Table(IReadOnlyList<WatchedPicture> pictures) =>
        "| picture | nearest photo | similarity | copy | without the identifier | similarity |\n|---|---|---|---|---|---|\n"
        + string.Concat(
            pictures.Select(picture => string.Create(
                CultureInfo.InvariantCulture,
                $"| {picture.Index:00} | {picture.Nearest} | {picture.Similarity:0.000} | ")
                + (picture.IsCopy == true ? "yes " : string.Empty)
                + string.Create(CultureInfo.InvariantCulture, $"| {picture.WithoutNearest} | {picture.WithoutSimilarity:0.000} |\n")));

    // Those that change the result; in recipe.json are all.
    private static IEnumerable<(string Name, object Value)> Settings(DreamBoothConfig config) =>
        from flag in DreamBoothConfig.Flags.All
        where !TrainingState.IsFree(flag)
        let value = flag.Property.GetValue(config)
        where value is not null
        select (flag.Name, value is bool or int or long or double ? value : Flag.Format(value));

    private static IEnumerable<(string Tag, string Text)> Texts(DreamBoothConfig config)
    {
        (string Name, string? Prompt)[] prompts =
        [
            ("instance_prompt", config.InstancePrompt), ("class_prompt", config.WithPriorPreservation ? config.ClassPrompt : null),
            ("validation_prompt", config.ValidationPrompt), ("watch_prompt", config.WatchSteps is null ? null : config.PromptWithout),
        ];
        yield return (
            "prompts", string.Join(
                "\n\n",
                from prompt in prompts where prompt.Prompt is not null select $"{prompt.Name}: `{ShownText.Line(prompt.Prompt!)}`"));
        yield return ("recipe", $"```\n{config.ToJson()}\n```");
    }

    private void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            _warn?.Invoke($"TensorBoard's file cannot be written, and no more is; the training continues. {error.Message}");
            try
            {
                Interlocked.Exchange(ref _file, null)?.Dispose();
            }
            catch (IOException)
            {
                // What is left of the file ends where writing failed.
            }
        }
    }
}
