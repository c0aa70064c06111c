using System.Diagnostics;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Sweeps;

/// <summary>
/// A model, a LoRA and a folder for several sweeps; a notebook opens it once. Sweeps can be interrupted and run again: finished pictures
/// are kept.
/// </summary>
public sealed class SweepStudy : IDisposable
{
    private readonly string _model;

    private SweepStudy(
        StudyConfig config, string model, string folder, StableDiffusion3Pipeline pipeline, IPictureJudge? judge)
    {
        (Config, Folder, Pipeline, Judge) = (config, folder, pipeline, judge);
        _model = ModelFingerprint.Of(model);
    }

    /// <summary>Its configuration; the LoRA is a file or folder.</summary>
    public StudyConfig Config { get; }

    /// <summary>What scores its pictures; null for nothing.</summary>
    public IPictureJudge? Judge { get; }

    /// <summary>The folder of all its sweeps; a full path.</summary>
    public string Folder { get; }

    /// <summary>The models.</summary>
    public StableDiffusion3Pipeline Pipeline { get; }

    /// <summary>Loads the model. A model or LoRA on the hub is downloaded where it is not cached.</summary>
    /// <param name="config">With which model and LoRA, and how much.</param>
    /// <param name="folder">Where the sweeps go, relative to the project; created with the first.</param>
    /// <param name="judge">Scores each picture, and stays the caller's; null for no scores.</param>
    /// <exception cref="LabException">The model or the LoRA is not there, or the device is not.</exception>
    public static SweepStudy Open(StudyConfig config, string folder, IPictureJudge? judge = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (Shard.Complaint(config.Shard) is { } complaint)
            throw new LabException(complaint);
        var hub = new HubResolver();
        var lora = hub.Lora(config.Lora);
        if (!Path.Exists(lora))
            throw new LabException($"There is no LoRA at {lora}. Train one (notebook 02, or `dotnet run -- train`), or name another file.");
        var model = hub.Model(config.Model);
        var pipeline = StableDiffusion3Pipeline.Load(model, PipelineOptions.Parse(config.Device, config.Dtype));
        return new SweepStudy(config with { Lora = lora }, model, Path.GetFullPath(folder, ProjectFolder.Find()), pipeline, judge);
    }

    /// <summary>The axes of a sweep over prompts (<see cref="StudyConfig.Axes"/>).</summary>
    /// <param name="prompts">The prompts; as many are taken as the configuration says.</param>
    public SweepAxes Axes(IEnumerable<string> prompts) => Config.Axes(prompts);

    /// <summary>The study's LoRA at a scale.</summary>
    /// <param name="scale">1 as trained.</param>
    public WeightedLora Lora(double scale = 1) => new(Config.Lora, scale);

    /// <summary>
    /// The study's LoRA at several stages of its training, each at every given scale: checkpoints beside it, then itself.
    /// </summary>
    /// <param name="scales">1 as trained.</param>
    public IReadOnlyList<WeightedLora> Stages(params IReadOnlyList<double> scales) =>
        [.. LoraCheckpoints.Stages(Config.Lora, Config.Stages).SelectMany(path => scales.Select(scale => new WeightedLora(path, scale)))];

    /// <summary>Generates what is missing of a sweep.</summary>
    /// <param name="name">Its folder's name in the study's folder.</param>
    /// <param name="axes">What varies.</param>
    /// <param name="onProgress">Told how far it is.</param>
    /// <param name="cancellation">Ends it between two denoising steps; what is done is kept.</param>
    /// <exception cref="LabException">An axis is empty, an item is not valid for the model, or the LoRA does not fit.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public SweepOutcome Run(string name, SweepAxes axes, Action<SweepProgress>? onProgress = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var started = Stopwatch.GetTimestamp();
        var made = 0;
        var runner = new SweepRunner(Pipeline, new SweepRunnerOptions
        {
            BatchSize = Config.BatchSize,
            Shard = Shard.Parse(Config.Shard),
            Metadata = !Config.NoMetadata,
            Model = _model,
            Judge = Judge,
            OnProgress = onProgress,
            OnPicture = (_, _) => made++,
        });
        var folder = Path.Combine(Folder, PromptFolders.SafeName(name));
        var sweep = Sweep.Cross(name, axes);
        var results = runner.Run(sweep, folder, cancellation);
        return new SweepOutcome(name, folder, results, made, Stopwatch.GetElapsedTime(started).TotalSeconds)
        {
            Missing = sweep.Items.Count - results.Count,
        };
    }

    /// <summary>Frees the models.</summary>
    public void Dispose() => Pipeline.Dispose();
}
