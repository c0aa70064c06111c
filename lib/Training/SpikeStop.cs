using Dreambooth.Lab.Foundation;
using static System.FormattableString;

namespace Dreambooth.Lab.Training;

/// <summary>
/// Stops a training whose loss explodes, and sets it back to before: two states of the last steps are kept in the machine's memory, so that
/// a checkpoint can be written of one from before the first high step.
/// </summary>
internal sealed class SpikeStop : IDisposable
{
    /// <summary>A state is kept every so many steps, and the one that is taken lies at least as many before the first high step.</summary>
    public const int Interval = 10;

    private readonly DreamBoothConfig _config;
    private readonly DreamBoothTrainer _trainer;
    private readonly SpikeWatch _watch;
    private TrainerSnapshot? _older, _newer;

    private SpikeStop(DreamBoothConfig config, DreamBoothTrainer trainer) =>
        (_config, _trainer, _watch) = (config, trainer, new SpikeWatch(config.SpikeFactor));

    /// <summary>Begins.</summary>
    /// <param name="config">The training.</param>
    /// <param name="trainer">Its trainer.</param>
    /// <param name="before">The steps that were done already.</param>
    /// <returns>Null where the configuration wants no stop.</returns>
    public static SpikeStop? Open(DreamBoothConfig config, DreamBoothTrainer trainer, IReadOnlyList<StepRecord> before)
    {
        if (!config.StopOnSpike)
            return null;
        var stop = new SpikeStop(config, trainer);
        foreach (var record in before)
            stop._watch.Add(record.Step, record.Loss);
        // A training that goes on may explode before its first state would be kept.
        if (trainer.StepsDone > 0 && stop._watch.First is null)
            stop._newer = trainer.Snapshot();
        return stop;
    }

    /// <summary>Takes in a step that is done.</summary>
    /// <returns>Whether the training is to stop.</returns>
    public bool Add(StepRecord record)
    {
        if (_watch.Add(record.Step, record.Loss))
            return true;
        if (_watch.First is null && record.Step % Interval == 0)
        {
            _older?.Dispose();
            (_older, _newer) = (_newer, _trainer.Snapshot());
        }

        return false;
    }

    /// <summary>The first high step; null where the last step was not high.</summary>
    public int? First => _watch.First;

    /// <summary>Sets the trainer back to before the spike.</summary>
    /// <returns>Whether there was a state to go back to.</returns>
    public bool GoBack()
    {
        var state = _newer is not null && _newer.Step <= _watch.First - Interval ? _newer : _older ?? _newer;
        if (state is not null)
            _trainer.GoBackTo(state);
        return state is not null;
    }

    /// <summary>What the user is told.</summary>
    /// <param name="record">The last step.</param>
    /// <param name="checkpoint">The checkpoint from before; null where there is none.</param>
    public LabException Error(StepRecord record, string? checkpoint)
    {
        var (least, most) = (_watch.High.Min(), _watch.High.Max());
        return new LossSpikeException(
            Invariant($"The loss has exploded, and stop_on_spike ends the training: in steps {_watch.First} to {record.Step} it was ")
            + Invariant($"{least:0.###} to {most:0.###}, more than {_config.SpikeFactor} times the median before, {_watch.Median:0.###}. ")
            + "No LoRA was written"
            + (checkpoint is null ? ". " : $"; {checkpoint} is from before it, and its LoRA can be used. ")
            + Invariant($"Start anew with a lower learning_rate (now {_config.LearningRate}) or max_grad_norm (now {_config.MaxGradNorm})")
            + (checkpoint is null ? "." : ", or go on from there without stop_on_spike."));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _older?.Dispose();
        _newer?.Dispose();
    }
}
