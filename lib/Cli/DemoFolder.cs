using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Cli;

/// <summary>
/// The output folder of a demonstration: its paths, and what an earlier run has finished. <c>demo.json</c> marks it as one; only in such a
/// folder, or in a new or empty one, is anything written or removed.
/// </summary>
internal sealed class DemoFolder
{
    private const string MarkerName = "demo.json";
    private readonly string _path;
    private State _state;

    private DemoFolder(string path, State state) => (_path, _state) = (path, state);

    public string Page => Path.Combine(_path, "index.html");

    public string ClassPictures => ClassPicturesOf(_path);

    /// <summary>The LoRA with its recipe and step records.</summary>
    public string Lora => LoraOf(_path);

    /// <summary>The trained LoRA's file.</summary>
    public string LoraFilePath => Path.Combine(Lora, LoraFile.DefaultName);

    /// <summary>Hash of the model's files as they were found.</summary>
    public string Model => _state.Model;

    /// <summary>Seconds by phase, those of earlier runs included.</summary>
    public IReadOnlyDictionary<string, double> PhaseSeconds => _state.PhaseSeconds;

    /// <summary>Whether the LoRA was trained to the end.</summary>
    public bool IsTrained => _state.Trained && File.Exists(LoraFilePath);

    public static string ClassPicturesOf(string output) => Path.Combine(output, "class");

    public static string LoraOf(string output) => Path.Combine(output, "lora");

    /// <summary>Opens the folder; what was made with another model or recipe is removed.</summary>
    /// <param name="options">What the demonstration is made from.</param>
    /// <param name="fresh">Whether to remove everything of an earlier run.</param>
    /// <exception cref="LabException">The folder holds something else.</exception>
    public static DemoFolder Open(DemoOptions options, bool fresh)
    {
        var marker = Path.Combine(options.Output, MarkerName);
        var known = File.Exists(marker);
        if (!known && Directory.Exists(options.Output)
            && Directory.EnumerateFileSystemEntries(options.Output).Any(entry => !RunFolder.IsMark(Path.GetFileName(entry))))
            throw new LabException(
                $"{options.Output} is not empty and not from an earlier demo; name a new or an empty folder by --output.");
        var training = options.Training;
        var now = new State(
            ModelFingerprint.Of(training.PretrainedModelNameOrPath), FileHash.Sha256OfText(training.ToJson()), false, []);
        var folder = new DemoFolder(options.Output, known ? JsonFile.Read<State>(marker) : now);
        if (known && (fresh || folder._state.Model != now.Model || folder._state.Recipe != now.Recipe))
            folder.Clear(now);
        folder.Save();
        return folder;
    }

    /// <summary>The folder of a sweep's pictures.</summary>
    public string Sweep(string name) => Path.Combine(_path, name);

    /// <summary>A sweep's pictures on one contact sheet.</summary>
    public string Sheet(string name) => Path.Combine(_path, name + ".png");

    /// <summary>A sweep's pictures, from this run and earlier ones.</summary>
    public IReadOnlyList<SweepResult> Results(string name) =>
        [.. SweepLog.Read(Sweep(name)).Where(result => File.Exists(Path.Combine(Sweep(name), result.Path)))];

    /// <summary>Adds to the time that a phase took.</summary>
    public void AddSeconds(string phase, double seconds)
    {
        var all = new Dictionary<string, double>(_state.PhaseSeconds, StringComparer.Ordinal);
        all[phase] = all.GetValueOrDefault(phase) + seconds;
        _state = _state with { PhaseSeconds = all };
        Save();
    }

    /// <summary>Resets a phase's time, since the phase restarts.</summary>
    public void ResetSeconds(string phase) =>
        _state = _state with { PhaseSeconds = _state.PhaseSeconds.Where(entry => entry.Key != phase).ToDictionary() };

    /// <summary>Notes that the LoRA was trained to the end.</summary>
    public void MarkTrained()
    {
        _state = _state with { Trained = true };
        Save();
    }

    private void Clear(State state)
    {
        foreach (var folder in new[] { ClassPictures, Lora }.Concat(DemoRun.SweepNames.Select(Sweep)).Where(Directory.Exists))
            Directory.Delete(folder, recursive: true);
        foreach (var file in DemoRun.SweepNames.Select(Sheet).Prepend(Page))
            File.Delete(file);
        _state = state;
    }

    private void Save() => JsonFile.Write(Path.Combine(_path, MarkerName), _state);

    private sealed record State(string Model, string Recipe, bool Trained, Dictionary<string, double> PhaseSeconds);
}
