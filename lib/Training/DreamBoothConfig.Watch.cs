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

    /// <summary>
    /// End the training where the loss explodes: where 5 steps in a row are each above <see cref="SpikeFactor"/> times the median of the
    /// last 50 that were not; default false. A checkpoint of a step before is written. Flag <c>--stop_on_spike</c>.
    /// </summary>
    [Flag(
        WatchGroup,
        "End the training where the loss explodes (5 steps in a row above spike_factor times the median of the last 50), and write a "
        + "checkpoint from before.")]
    public bool StopOnSpike { get; init; }

    /// <summary>How many times the median a loss must be above to count, more than 1, default 3. Flag <c>--spike_factor</c>.</summary>
    [Flag(WatchGroup, "How many times the median a step's loss is above to count for stop_on_spike.", Minimum = 1, OpenMinimum = true)]
    public double SpikeFactor { get; init; } = 3;

    /// <summary>
    /// Every N optimizer steps and after the last, compare the validation pictures with the photos and with pictures of the same noise
    /// whose prompt lacks the identifier; at least 1; null (the default): never. Flag <c>--watch_steps</c>.
    /// </summary>
    [Flag(
        WatchGroup,
        "Every N optimizer steps and at the end, find each validation picture's nearest photo, and generate the same without the "
        + "identifier.",
        Minimum = 1, DefaultText = "never")]
    public int? WatchSteps { get; init; }

    /// <summary>
    /// Prompt of the pictures without the identifier; null (the default): the validation prompt without the word before the class, which
    /// <see cref="ClassPrompt"/> tells. Flag <c>--watch_prompt</c>.
    /// </summary>
    [Flag(
        WatchGroup, "Prompt of the pictures without the identifier.",
        DefaultText = "validation_prompt without it, where class_prompt tells it")]
    public string? WatchPrompt { get; init; }

    /// <summary>The prompt of the pictures without the identifier; null where it cannot be told.</summary>
    internal string? PromptWithout => WatchPrompt
        ?? (ValidationPrompt is { } prompt && PromptIdentifier.Of(InstancePrompt, ClassPrompt) is { } identifier
            ? PromptIdentifier.Without(prompt, identifier)
            : null);

    /// <summary>The folder of TensorBoard's files; null where none are written.</summary>
    internal string? BoardFolder => ReportTo == "none" ? null : Path.Combine(OutputDir, LoggingDir);

    private IEnumerable<string> WatchErrors()
    {
        if (string.IsNullOrWhiteSpace(LoggingDir))
            yield return "logging_dir is empty; it must name a folder. report_to none writes no TensorBoard files.";
        if (WatchSteps is not null && (ValidationPrompt is null || NumValidationImages == 0))
            yield return "watch_steps compares validation pictures: it needs validation_prompt, and num_validation_images of at least 1.";
    }

    private IEnumerable<string> WatchNotices()
    {
        foreach (var notice in WithoutEffect(WatchSteps is not null, "watch_steps", nameof(WatchPrompt)))
            yield return notice;
        foreach (var notice in WithoutEffect(StopOnSpike, "stop_on_spike", nameof(SpikeFactor)))
            yield return notice;
        if (WatchSteps is not null && PromptWithout is null)
        {
            yield return "watch_steps generates no pictures without the identifier: it is the word before the class that class_prompt ends "
                + "with, and validation_prompt must have it. Give class_prompt, or the whole prompt as watch_prompt.";
        }

        if (ReportTo is "wandb" or "comet_ml")
        {
            yield return $"report_to is {ReportTo}: nothing is sent anywhere; TensorBoard's files are written to {LoggingDir} in "
                + "output_dir, which the service's own program uploads.";
        }
    }
}
