using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <content>What a step's record tells, and why a step is not taken.</content>
public sealed partial class DreamBoothTrainer
{
    // The norm of one model that is trained alone is that of everything.
    private Tensor[] PartNorms()
    {
        if (_adapter.Segments.Count == 1)
            return [];
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var norms = _adapter.Segments.Select(segment => _adapter.Gradients!.narrow(0, segment.Offset, segment.Length).norm());
        return [stack([.. norms]).MoveToOuterDisposeScope()];
    }

    private Tensor[] StepSize() => _optimizer.StepSize is { } size ? [size.to(ScalarType.Float32).reshape(1)] : [];

    private StepRecord Record(float[] figures, double factor, int epoch, long images) => new()
    {
        Step = StepsDone,
        Epoch = epoch,
        Loss = figures[0],
        InstanceLoss = figures[1],
        PriorLoss = _config.HasPriorLoss ? figures[2] : null,
        LearningRate = RateOf(isTransformer: true, factor) ?? (_config.ScaledLearningRate() * factor),
        TextEncoderLr = RateOf(isTransformer: false, factor),
        StepSize = _optimizer.StepSize is null ? null : figures[^1],
        GradNorm = figures[3],
        GradNorms = _adapter.Segments.Count == 1 ? null : _adapter.Segments.Select(
            (segment, i) => (segment.Component, Norm: (double)figures[5 + _optimizer.Groups.Count + i]))
            .ToDictionary(part => part.Component, part => part.Norm),
        Seconds = 0,
        ImagesPerSecond = images,
    };

    private double? RateOf(bool isTransformer, double factor)
    {
        var index = _adapter.Segments.ToList().FindIndex(segment => segment.Component == "transformer" == isTransformer);
        return index < 0 ? null : _optimizer.RateOf(_optimizer.Groups[index], factor);
    }

    // Parameters, moments and the number of steps are then what they were before the step.
    private NonFiniteException TakeBack(float[] figures, double factor, int epoch, IEnumerable<int> microBatches)
    {
        var (loss, norm, largest) = (figures[0], figures[3], figures[4..(4 + _optimizer.Groups.Count)]);
        var group = Math.Max(0, Array.FindIndex(largest, value => !float.IsFinite(value)));
        var fault = _optimizer.FaultOf(_optimizer.Groups[group], factor);
        var where = FirstLayer(tensor => tensor);
        _optimizer.Undo();
        if (float.IsFinite(loss) && float.IsFinite(norm))
            return StepFault.OfParameters(StepsDone + 1, _config, _adapter.Segments[group].Component, fault, factor, where);
        where = float.IsFinite(loss) ? LayerOfTheGradient(epoch, microBatches) : null;
        return StepFault.OfLoss(
            StepsDone + 1, (loss, norm), _config, _adapter, _transformer, microBatches.Select(index => _batches.Load(epoch, index)), where);
    }

    // Clipping by a norm that is not finite leaves none of the gradients as it was: they are computed again.
    private string? LayerOfTheGradient(int epoch, IEnumerable<int> microBatches)
    {
        var (ranks, rank) = Collective?.Ranks is { } group ? (group.Count, group.Rank) : (1, 0);
        _adapter.ClearGradients();
        foreach (var index in microBatches.Where((_, i) => i % ranks == rank))
        {
            using var scope = NewDisposeScope();
            Run(_batches.Load(epoch, index), ((long)epoch * _batches.BatchesPerEpoch) + index);
        }

        return FirstLayer(tensor => tensor.grad);
    }

    // The name of the first tensor of the adapter of which something is not finite; null where all is.
    private string? FirstLayer(Func<Tensor, Tensor?> part)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        return _adapter.Layers.SelectMany(layer => layer.Named)
            .FirstOrDefault(entry => part(entry.Value) is { } values && !FiniteCheck.IsFinite(values)).Name;
    }
}
