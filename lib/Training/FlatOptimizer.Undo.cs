using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <content>A step that can be taken back, why one went wrong, and the weights to keep.</content>
public abstract partial class FlatOptimizer
{
    private Tensor[]? _before;
    private long _stepsBefore;

    /// <summary>Whether the weights to keep are others than those that are trained, see <see cref="EvaluationWeights"/>.</summary>
    internal virtual bool HasEvaluationWeights => false;

    /// <summary>The step size that the optimizer has estimated, a tensor of rank 0 that is its own; null where it estimates none.</summary>
    internal virtual Tensor? StepSize => null;

    /// <summary>The rate that the last step used for a group, as the record of the step tells it.</summary>
    internal virtual double RateOf(ParameterGroup group, double learningRateFactor) => group.LearningRate * learningRateFactor;

    /// <summary>Tensors of the state of which one is not finite where the state is not.</summary>
    private protected abstract IEnumerable<Tensor> Watched { get; }

    private IEnumerable<Tensor> Remembered => _state.Select(entry => entry.Values).Prepend(Parameters);

    /// <summary>Keeps a copy of parameters and state, in memory of its own from the first call on, for <see cref="Undo"/>.</summary>
    internal void Remember()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        _before ??= [.. Remembered.Select(values => empty_like(values).DetachFromDisposeScope())];
        foreach (var (copy, values) in _before.Zip(Remembered))
            copy.copy_(values);
        _stepsBefore = StepCount;
    }

    /// <summary>Undoes what was done since <see cref="Remember"/>.</summary>
    internal void Undo()
    {
        using var noGradients = no_grad();
        foreach (var (values, copy) in Remembered.Zip(_before!))
            values.copy_(copy);
        StepCount = _stepsBefore;
    }

    /// <summary>The largest absolute parameter of each group, then the largest of the state; not finite where one is not.</summary>
    /// <returns><c>[groups + 1]</c>; nothing waits for it.</returns>
    internal Tensor Largest()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        Tensor[] state = [.. Watched.Select(FiniteCheck.Largest)];
        Tensor[] figures =
        [
            .. Groups.Select(group => FiniteCheck.Largest(Part(Parameters, group))), state.Length == 1 ? state[0] : stack(state).max(),
        ];
        return stack(figures).MoveToOuterDisposeScope();
    }

    /// <summary>Why the last step left a group's parameters not finite, where its gradients were; waits for the device.</summary>
    /// <param name="group">The group.</param>
    /// <param name="learningRateFactor">The factor that the step was taken with.</param>
    internal virtual OptimizerFault FaultOf(ParameterGroup group, double learningRateFactor)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        if (!Watched.All(FiniteCheck.IsFinite))
            return OptimizerFault.SquaredGradient;
        var kept = InRange(1 - (group.LearningRate * learningRateFactor * group.WeightDecay));
        return Math.Abs(kept) > 1 ? OptimizerFault.WeightDecay : OptimizerFault.LearningRate;
    }

    /// <summary>The weights to generate with and to save, where <see cref="HasEvaluationWeights"/>.</summary>
    /// <returns><c>[N]</c>, the caller's.</returns>
    internal virtual Tensor EvaluationWeights() => throw new NotSupportedException("the weights that are trained are those to keep");
}
