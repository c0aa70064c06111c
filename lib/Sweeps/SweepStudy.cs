using System.Diagnostics;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Sweeps;

/// <summary>
/// A model, a LoRA and a folder for several sweeps: what a notebook opens once and then asks question after question. Sweeps can be
/// interrupted and run again: what is drawn is kept.
/// </summary>
public sealed class SweepStudy : IDisposable
{
    private readonly Func<SweepItem, RgbImage, IReadOnlyDictionary<string, double>>? _score;
    private readonly string _model;

    private SweepStudy(SweepPreset preset, string folder, StableDiffusion3Pipeline pipeline, Func<SweepItem, RgbImage, IReadOnlyDictionary<string, double>>? score)
    {
        (Preset, Folder, Pipeline, _score) = (preset, folder, pipeline, score);
        _model = ModelFingerprint.Of(preset.Model);
    }

    /// <summary>What it was opened with; paths are full ones.</summary>
    public SweepPreset Preset { get; }

    /// <summary>The folder of all its sweeps; a full path.</summary>
    public string Folder { get; }

    /// <summary>The models.</summary>
    public StableDiffusion3Pipeline Pipeline { get; }

    /// <summary>Loads the model.</summary>
    /// <param name="preset">With what (<see cref="SweepPreset.Located"/>).</param>
    /// <param name="folder">Where the sweeps go, relative to the project, each preset in a folder of its own; created with the first.</param>
    /// <param name="score">Scores a picture; null for no scores.</param>
    /// <exception cref="LabException">The model or the LoRA is not there, or the device is not.</exception>
    public static SweepStudy Open(SweepPreset preset, string folder, Func<SweepItem, RgbImage, IReadOnlyDictionary<string, double>>? score = null)
    {
        ArgumentNullException.ThrowIfNull(preset);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var found = preset.Located();
        if (!Path.Exists(found.Lora))
            throw new LabException($"There is no LoRA at {found.Lora}. Train one (notebook 02, or `dotnet run -- train`), or name another file.");
        var pipeline = StableDiffusion3Pipeline.Load(found.Model, PipelineOptions.Parse(found.Device, found.Dtype));
        return new SweepStudy(found, Path.Combine(Path.GetFullPath(folder, ProjectFolder.Find()), preset.Name.ToLowerInvariant()), pipeline, score);
    }

    /// <summary>The axes of a sweep over prompts with the study's LoRA, seeds, guidance and steps (<see cref="SweepPreset.Axes"/>).</summary>
    /// <param name="prompts">The prompts; as many are taken as the preset draws.</param>
    public SweepAxes Axes(IEnumerable<string> prompts) => Preset.Axes(prompts);

    /// <summary>The study's LoRA at a scale.</summary>
    /// <param name="scale">1 as trained.</param>
    public WeightedLora Lora(double scale = 1) => new(Preset.Lora, scale);

    /// <summary>The LoRA of the study's training at several stages, each at every scale of some: checkpoints beside it, then itself.</summary>
    /// <param name="scales">1 as trained.</param>
    public IReadOnlyList<WeightedLora> Stages(params IReadOnlyList<double> scales) =>
        [.. LoraCheckpoints.Stages(Preset.Lora, Preset.Stages).SelectMany(path => scales.Select(scale => new WeightedLora(path, scale)))];

    /// <summary>Draws what is missing of a sweep.</summary>
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
            BatchSize = Preset.BatchSize,
            Model = _model,
            Score = _score,
            OnProgress = onProgress,
            OnPicture = (_, _) => made++,
        });
        var folder = Path.Combine(Folder, PromptFolders.SafeName(name));
        var results = runner.Run(Sweep.Cross(name, axes), folder, cancellation);
        return new SweepOutcome(name, folder, results, made, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>Frees the models.</summary>
    public void Dispose() => Pipeline.Dispose();
}
