using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <content>The trainer's state in a checkpoint or in memory, and a step that fp16's factor leaves out.</content>
public sealed partial class DreamBoothTrainer
{
    /// <summary>Writes the optimizer's state.</summary>
    internal void SaveOptimizer(string path)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Save(path, State());
    }

    /// <summary>Restores another run's position and optimizer state; the caller restores the adapter's weights.</summary>
    /// <exception cref="LabException">The file is damaged, or of another number of parameters.</exception>
    internal void GoOnFrom(int step, string optimizerPath)
    {
        using var scope = NewDisposeScope();
        using var file = Checkpoint.Open(optimizerPath);
        GoOnWith(step, file.Names.ToDictionary(name => name, name => file.Load(name)), optimizerPath);
    }

    /// <summary>The state after the last step, in the machine's memory.</summary>
    internal TrainerSnapshot Snapshot()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        Tensor Copy(Tensor values) => values.to(CPU, copy: true).DetachFromDisposeScope();
        return new TrainerSnapshot(
            StepsDone, Copy(_adapter.Parameters), State().ToDictionary(entry => entry.Key, entry => Copy(entry.Value)));
    }

    /// <summary>Sets everything to where a state stands.</summary>
    internal void GoBackTo(TrainerSnapshot state)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        _adapter.Parameters.copy_(state.Parameters);
        GoOnWith(state.Step, new Dictionary<string, Tensor>(state.State), "the kept state");
        _adapter.RefreshComputeCopy();
    }

    // Tensors of the optimizer's own, or of the current dispose scope.
    private Dictionary<string, Tensor> State()
    {
        var state = new Dictionary<string, Tensor>(_optimizer.StateDict());
        if (_weights.Trained is { } trained)
            state.Add(KeptWeights.TrainedKey, trained);
        if (_scale is not null)
            state.Add(LossScale.Key, _scale.State());
        return state;
    }

    private void GoOnWith(int step, Dictionary<string, Tensor> state, string source)
    {
        if (_scale is not null)
        {
            state.Remove(LossScale.Key, out var scale);
            _scale.Load(scale, source);
        }

        if (_weights.Averages)
            _weights.GoOnWith(TrainedOf(state, source));
        _optimizer.LoadStateDict(state);
        StepsDone = step;
    }

    private Tensor TrainedOf(Dictionary<string, Tensor> state, string path) =>
        state.Remove(KeptWeights.TrainedKey, out var trained) && trained.shape.AsSpan().SequenceEqual(_adapter.Parameters.shape)
            ? trained
            : throw new LabException(
                $"{path} has no '{KeptWeights.TrainedKey}' of {_adapter.Parameters.numel()} numbers: the weights that were trained, of "
                + "which the checkpoint's LoRA is an average.");

    // What a smaller factor of the loss can help: a finite loss whose gradients are beyond float16.
    private bool Skips(float[] figures) =>
        _scale is not null && Array.TrueForAll(figures[..3], float.IsFinite) && !float.IsFinite(figures[3]) && _scale.TryBackOff();

    // The step counts, as with the reference; parameters, optimizer and average are what they were.
    private StepRecord LeaveOut(float[] figures, double factor, int epoch, long images)
    {
        _optimizer.Undo();
        StepsDone++;
        return Record(figures, factor, epoch, images) with { StepSize = null };
    }
}
