using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// The factor of the loss in float16, which keeps small gradients from becoming 0: it doubles after 2,000 good steps in a row and halves
/// with each step whose gradients are not finite, which is left out (Micikevicius et al. 2018, arXiv 1710.03740). Source of the rule:
/// torch.amp.GradScaler of PyTorch 2.11, with its defaults.
/// </summary>
/// <remarks>
/// Whether gradients are finite is seen from their norm, which the host reads once in a step with the other figures. Where several ranks
/// train together they share the sum, and so the decision. As with accelerate, a step that is left out does not move the schedule on.
/// </remarks>
internal sealed class LossScale : IDisposable
{
    /// <summary>The name of the state in a checkpoint, beside the optimizer's.</summary>
    public const string Key = "loss_scale";

    /// <summary>The first factor, 2¹⁶.</summary>
    public const double Initial = 65_536;

    /// <summary>Good steps in a row after which the factor grows.</summary>
    public const int GrowthInterval = 2000;

    private const double Growth = 2, Backoff = 0.5;

    // Gradients that overflow at this factor are too large by themselves.
    private const double Least = 1;

    // Beyond it the scaled loss of 1 would be infinite in float32.
    private const double Most = 1L << 60;

    private int _good;

    /// <summary>Begins with <see cref="Initial"/>.</summary>
    /// <param name="device">Where the training computes.</param>
    public LossScale(Device device)
    {
        using var noGradients = no_grad();
        Factor = ones([], ScalarType.Float32, device).DetachFromDisposeScope();
        Set(Initial);
    }

    /// <summary>The factor, float32 of rank 0 and this object's own: a captured pass reads it where it lies.</summary>
    public Tensor Factor { get; }

    /// <summary>The factor's value, a power of 2.</summary>
    public double Value { get; private set; }

    /// <summary>Steps that were left out.</summary>
    public int Skipped { get; private set; }

    /// <summary>Divides gradients by the factor that the loss was multiplied by.</summary>
    /// <param name="gradients">All gradients, <c>[N]</c>.</param>
    public void Unscale(Tensor gradients)
    {
        using var noGradients = no_grad();
        gradients.mul_(KeptScalar.Of(1 / Value));
    }

    /// <summary>Takes note of a step with finite gradients.</summary>
    public void Keep()
    {
        if (++_good < GrowthInterval)
            return;
        _good = 0;
        if (Value < Most)
            Set(Value * Growth);
    }

    /// <summary>Takes note of a step whose gradients are not finite.</summary>
    /// <returns>False where a smaller factor cannot help: the step is a fault.</returns>
    public bool TryBackOff()
    {
        if (Value <= Least)
            return false;
        (_good, Skipped) = (0, Skipped + 1);
        Set(Value * Backoff);
        return true;
    }

    /// <summary>What a run goes on with as if it had not stopped: factor, good steps in a row, steps left out.</summary>
    /// <returns>float64, <c>[3]</c>, the caller's.</returns>
    public Tensor State() => tensor(new[] { Value, _good, Skipped });

    /// <summary>Takes over a state.</summary>
    /// <param name="state">What <see cref="State"/> gave; null where a checkpoint has none.</param>
    /// <param name="source">The checkpoint's file, for messages.</param>
    /// <exception cref="LabException">It is missing, or no state.</exception>
    public void Load(Tensor? state, string source)
    {
        var numbers = state is { dtype: ScalarType.Float64, shape: [3] } ? state.cpu().data<double>().ToArray() : [];
        if (numbers is not [> 0 and <= Most and var value, >= 0 and < GrowthInterval and var good,
            >= 0 and <= int.MaxValue and var skipped])
        {
            throw new LabException(
                $"{source} has no '{Key}' of mixed_precision fp16: factor, good steps in a row and steps left out. Versions before loss "
                + "scaling wrote none: start afresh.");
        }

        (_good, Skipped) = ((int)good, (int)skipped);
        Set(value);
    }

    /// <inheritdoc/>
    public void Dispose() => Factor.Dispose();

    private void Set(double value)
    {
        using var noGradients = no_grad();
        Value = value;
        Factor.fill_(KeptScalar.Of(value));
    }
}
