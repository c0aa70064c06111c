using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <content>How a running training is watched.</content>
public sealed partial record DreamBoothConfig
{
    private const string WatchGroup = "Watching";

    /// <summary>
    /// Where figures and pictures go beside steps.jsonl: tensorboard (the default), none; wandb, comet_ml and all write TensorBoard's files
    /// too, which those services take. Flag <c>--report_to</c>.
    /// </summary>
    [Flag(
        WatchGroup,
        "Where figures and pictures go beside steps.jsonl: tensorboard, none; wandb, comet_ml and all write TensorBoard's files too.",
        Choices = ["tensorboard", "wandb", "comet_ml", "all", "none"])]
    public string ReportTo { get; init; } = "tensorboard";

    /// <summary>The folder of TensorBoard's files, under <see cref="OutputDir"/>; default logs. Flag <c>--logging_dir</c>.</summary>
    [Flag(WatchGroup, "Folder of TensorBoard's files, under output_dir.", Placeholder = "FOLDER")]
    public string LoggingDir { get; init; } = "logs";

    /// <summary>The folder of TensorBoard's files; null where none are written.</summary>
    internal string? BoardFolder => ReportTo == "none" ? null : Path.Combine(OutputDir, LoggingDir);

    private IEnumerable<string> WatchErrors()
    {
        if (string.IsNullOrWhiteSpace(LoggingDir))
            yield return "logging_dir is empty; it must name a folder. report_to none writes no TensorBoard files.";
    }

    private IEnumerable<string> WatchNotices()
    {
        if (ReportTo is "wandb" or "comet_ml")
        {
            yield return $"report_to is {ReportTo}: nothing is sent anywhere; TensorBoard's files are written to {LoggingDir} in "
                + "output_dir, which the service's own program uploads.";
        }
    }
}
