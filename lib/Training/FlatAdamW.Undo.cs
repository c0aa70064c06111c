using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <content>A step that can be taken back, and why one went wrong.</content>
public sealed partial class FlatAdamW
{
    private Tensor[]? _before;
    private long _stepsBefore;

    private Tensor[] State => [_parameters, _mean, _meanSquare];

    /// <summary>Keeps a copy of the parameters and moments, in memory of its own from the first call on, for <see cref="Undo"/>.</summary>
    internal void Remember()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        _before ??= Array.ConvertAll(State, values => empty_like(values).DetachFromDisposeScope());
        foreach (var (copy, values) in _before.Zip(State))
            copy.copy_(values);
        _stepsBefore = StepCount;
    }

    /// <summary>Undoes what was done since <see cref="Remember"/>.</summary>
    internal void Undo()
    {
        using var noGradients = no_grad();
        foreach (var (values, copy) in State.Zip(_before!))
            values.copy_(copy);
        StepCount = _stepsBefore;
    }

    /// <summary>The largest absolute parameter of each group, then the largest second moment; not finite where one is not.</summary>
    /// <returns><c>[groups + 1]</c>; nothing waits for it.</returns>
    internal Tensor Largest()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        Tensor[] figures = [.. Groups.Select(group => FiniteCheck.Largest(Part(_parameters, group))), FiniteCheck.Largest(_meanSquare)];
        return stack(figures).MoveToOuterDisposeScope();
    }

    /// <summary>Why the last step left a group's parameters not finite, where its gradients were; waits for the device.</summary>
    /// <param name="group">The group.</param>
    /// <param name="learningRateFactor">The factor that the step was taken with.</param>
    internal AdamWFault FaultOf(AdamWGroup group, double learningRateFactor)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        if (!FiniteCheck.IsFinite(_meanSquare))
            return AdamWFault.SquaredGradient;
        var denominator = Part(_denominator, group);
        if (denominator.min().item<float>() == 0)
            return AdamWFault.Epsilon;
        var rate = group.LearningRate * learningRateFactor;
        var move = FiniteCheck.Largest(Part(_mean, group) / denominator).item<float>() * (rate / (1 - Math.Pow(_config.Beta1, StepCount)));
        return move < float.MaxValue ? AdamWFault.WeightDecay : AdamWFault.LearningRate;
    }

    // A number beyond float32 is infinite there; libtorch refuses it in some operations and wraps it in others.
    private static double InRange(double number) =>
        Math.Abs(number) > float.MaxValue ? double.CopySign(double.PositiveInfinity, number) : number;
}
