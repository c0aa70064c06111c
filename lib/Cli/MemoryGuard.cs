using Dreambooth.Lab.Native;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary>Turns libtorch's out-of-memory errors into one message: what was being done, how much was requested, what would fit.</summary>
/// <param name="model">The model's name, folder or file, or null.</param>
/// <param name="device">The device that the user names.</param>
/// <param name="settings">What is done.</param>
/// <param name="sharers">How many processes of the run share the machine's memory; each GPU is one's alone.</param>
internal sealed class MemoryGuard(string? model, string device, MemorySettings settings, int sharers = 1)
{
    private string _phase = "loading";
    private string? _model = model;
    private MemorySettings _settings = settings;

    /// <summary>Settles the memory mode.</summary>
    /// <param name="found">The model's folder or file.</param>
    /// <param name="asked">What the user asks for.</param>
    /// <param name="say">Told what was picked and why, where something was left to pick.</param>
    /// <returns>The run with its mode.</returns>
    public MemorySettings Choose(string found, MemoryMode asked, Action<string> say)
    {
        _model = found;
        var choice = MemoryChoice.Make(asked, Architecture(), _settings, Available());
        if (choice.Reason.Length > 0)
            say(choice.Reason);
        return _settings = choice.Settings;
    }

    private void RefuseLora(string found)
    {
        _model = found;
        if (Architecture() is { } model && Available() is { } memory)
            MemoryShortage.RefuseLora(model, _settings, memory);
    }

    /// <summary>Lowers the number of pictures generated at a time until they are predicted to fit.</summary>
    /// <param name="found">The model's folder or file.</param>
    /// <param name="asked">The memory mode that the user asks for.</param>
    public void FitBatch(string found, MemoryMode asked)
    {
        _model = found;
        if (Architecture() is not { } model || Available() is not { } memory)
            return;
        var (planner, usable) = (new MemoryPlanner(model), MemoryPlanner.Usable(memory.Bytes, memory.IsGpu));
        while (_settings.SampleBatchSize > 1 && !Modes().Any(forecast => forecast.Peak <= usable))
            _settings = _settings with { SampleBatchSize = _settings.SampleBatchSize / 2 };

        IEnumerable<MemoryForecast> Modes() =>
            planner.ByMode(_settings).Where(forecast => asked == MemoryMode.Auto || forecast.Settings.Memory == asked);
    }

    /// <summary>How many pictures a training run can generate at a time in its memory mode.</summary>
    /// <param name="found">The model's folder or file.</param>
    /// <param name="mode">The mode.</param>
    /// <param name="wanted">Pictures that are asked for at a time.</param>
    /// <exception cref="Foundation.LabException">
    /// The LoRA alone is larger than the device's memory, or the training by far larger than the machine's.
    /// </exception>
    public int FitSamples(string found, MemoryMode mode, int wanted)
    {
        RefuseLora(found);
        _settings = _settings with { SampleBatchSize = Math.Min(wanted, StableDiffusion3Pipeline.WorthAtATime) };
        FitBatch(found, mode);
        if (Architecture() is { } model && Available() is { } memory)
            MemoryShortage.RefuseFarTooLarge(model, _settings with { Memory = mode }, memory);
        return _settings.SampleBatchSize;
    }

    /// <summary>Sets the size that no batch exceeds.</summary>
    /// <param name="most">Instance pictures of the largest batch.</param>
    public void LimitTrainBatch(int most) => _settings = _settings with { TrainBatchSize = Math.Min(_settings.TrainBatchSize, most) };

    /// <summary>Counts the encoders that score, now that they are on this machine.</summary>
    /// <param name="config">The training.</param>
    public void CountJudge(DreamBoothConfig config) => _settings = _settings with { Judge = JudgeSize.Find(config) };

    /// <summary>Sets what is being done.</summary>
    public void Enter(string phase) => _phase = char.ToLowerInvariant(phase[0]) + phase[1..];

    /// <summary>Runs some work.</summary>
    /// <exception cref="Foundation.LabException">Memory was refused.</exception>
    public T Run<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception error) when (OutOfMemory.Is(error))
        {
            throw MemoryShortage.Explain(error, _phase, Total(), Architecture(), _settings);
        }
    }

    private AvailableMemory? Available() => AvailableMemory.Read(DeviceSelection.Parse(device)) is not { } memory ? null
        : memory.IsGpu || sharers == 1 ? memory
        : memory with { Bytes = memory.Bytes / sharers, Place = $"for each of {sharers} ranks on this machine" };

    private long? Total() => GpuMemory.Read(DeviceSelection.Parse(device))?.Total;

    private ModelArchitecture? Architecture() =>
        _model is not null && (File.Exists(_model) || File.Exists(Path.Combine(_model, "model_index.json")))
            ? ModelArchitecture.Read(_model)
            : null;
}
