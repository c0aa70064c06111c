using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// AdamW with decoupled weight decay over one flat tensor of parameters and one of gradients, of which the model's
/// parameters and their gradients are views. A step is a handful of in-place operations, whatever the number of
/// parameters, and reads nothing back from the device.
/// </summary>
/// <remarks>
/// Source of the numerics: torch.optim.AdamW of PyTorch 2.11, single-tensor form (Loshchilov and Hutter, arXiv 1711.05101).
/// Besides the two moments it keeps one buffer of the same size for intermediate values.
/// </remarks>
public sealed partial class FlatAdamW : IDisposable
{
    private const string StepKey = "step", MeanKey = "exp_avg", MeanSquareKey = "exp_avg_sq";

    private readonly Tensor _parameters, _gradients;
    private readonly Tensor _mean, _meanSquare, _denominator, _meanWeight;
    private readonly AdamWConfig _config;

    /// <summary>Creates an optimizer with zero moments.</summary>
    /// <param name="parameters">All parameters, [N], contiguous, floating point; changed by <see cref="Step"/>. Stays the caller's.</param>
    /// <param name="gradients">Their gradients, [N], same type and device; read by <see cref="Step"/>. Stays the caller's.</param>
    /// <param name="groups">Stretches that do not overlap; elements outside all of them are left alone.</param>
    /// <param name="config">The settings that all share; the defaults when null.</param>
    /// <exception cref="LabException">A setting, rate or weight decay is out of range.</exception>
    /// <exception cref="ArgumentException">Tensors do not match, or a group overlaps another or lies outside.</exception>
    public FlatAdamW(Tensor parameters, Tensor gradients, IReadOnlyList<AdamWGroup> groups, AdamWConfig? config = null)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(gradients);
        ArgumentNullException.ThrowIfNull(groups);
        _config = config ?? new();
        _config.Validate();
        if (parameters.dim() != 1 || !parameters.is_floating_point() || !gradients.shape.AsSpan().SequenceEqual(parameters.shape)
            || gradients.dtype != parameters.dtype
            || gradients.device_type != parameters.device_type || gradients.device_index != parameters.device_index)
            throw new ArgumentException("parameters and gradients must be flat floating-point tensors of one length, type and device");
        CheckGroups(groups, parameters.numel());
        (_parameters, _gradients, Groups) = (parameters, gradients, groups);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        _mean = zeros_like(gradients).DetachFromDisposeScope();
        _meanSquare = zeros_like(gradients).DetachFromDisposeScope();
        _denominator = zeros_like(gradients).DetachFromDisposeScope();
        _meanWeight = tensor(1 - _config.Beta1, parameters.dtype, parameters.device).DetachFromDisposeScope();
    }

    /// <summary>The ranges with their own rates.</summary>
    public IReadOnlyList<AdamWGroup> Groups { get; }

    /// <summary>Number of steps taken.</summary>
    public long StepCount { get; private set; }

    /// <summary>Updates the parameters with the current gradients.</summary>
    /// <param name="learningRateFactor">The schedule's factor for this step, by which every group's rate is multiplied.</param>
    public void Step(double learningRateFactor = 1)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        StepCount++;
        var meanCorrection = 1 - Math.Pow(_config.Beta1, StepCount);
        var rootCorrection = Math.Sqrt(1 - Math.Pow(_config.Beta2, StepCount));
        _mean.lerp_(_gradients, _meanWeight);
        using var correction = KeptScalar.Once(rootCorrection);
        _meanSquare.mul_(KeptScalar.Of(_config.Beta2)).addcmul_(_gradients, _gradients, KeptScalar.Of(1 - _config.Beta2));
        _denominator.copy_(_meanSquare).sqrt_().div_(correction).add_(KeptScalar.Of(_config.Epsilon), KeptScalar.One);
        foreach (var group in Groups)
        {
            var rate = group.LearningRate * learningRateFactor;
            var weights = Part(_parameters, group);
            using var decay = KeptScalar.Once(InRange(1 - (rate * group.WeightDecay)));
            using var step = KeptScalar.Once(InRange(-(rate / meanCorrection)));
            if (group.WeightDecay != 0)
                weights.mul_(decay);
            weights.addcdiv_(Part(_mean, group), Part(_denominator, group), step);
        }
    }

    /// <summary>
    /// The state from which a run continues as if it had not stopped: <c>step</c> (int64, rank 0), <c>exp_avg</c> and <c>exp_avg_sq</c>
    /// ([N]). The moments are the optimizer's own tensors: save or copy them before the next step.
    /// </summary>
    /// <returns>A new dictionary; <c>step</c> is the caller's to dispose, the moments are not.</returns>
    public IReadOnlyDictionary<string, Tensor> StateDict() => new Dictionary<string, Tensor>
    {
        [StepKey] = tensor(StepCount),
        [MeanKey] = _mean,
        [MeanSquareKey] = _meanSquare,
    };

    /// <summary>Takes over a state that <see cref="StateDict"/> gave.</summary>
    /// <param name="state">The three tensors, of any device; they stay the caller's.</param>
    /// <exception cref="LabException">One is missing, superfluous, of another shape or type, or not finite; none is changed.</exception>
    public void LoadStateDict(IReadOnlyDictionary<string, Tensor> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var errors = new List<string>();
        Check(state, StepKey, [], ScalarType.Int64, errors);
        Check(state, MeanKey, _mean.shape, _mean.dtype, errors);
        Check(state, MeanSquareKey, _meanSquare.shape, _meanSquare.dtype, errors);
        errors.AddRange(state.Keys.Except([StepKey, MeanKey, MeanSquareKey]).Select(name => $"'{name}' is unexpected"));
        if (errors.Count > 0)
            throw new LabException($"The optimizer's state does not fit: {string.Join("; ", errors)}.");
        foreach (var name in new[] { MeanKey, MeanSquareKey })
            FiniteCheck.Require(state[name], $"The optimizer's state '{name}'");
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        _mean.copy_(state[MeanKey]);
        _meanSquare.copy_(state[MeanSquareKey]);
        StepCount = state[StepKey].cpu().item<long>();
    }

    /// <summary>Disposes the moments; parameters and gradients are the caller's.</summary>
    public void Dispose()
    {
        _mean.Dispose();
        _meanSquare.Dispose();
        _denominator.Dispose();
        _meanWeight.Dispose();
        foreach (var copy in _before ?? [])
            copy.Dispose();
    }

    private static Tensor Part(Tensor flat, AdamWGroup group) => flat.narrow(0, group.Offset, group.Length);

    private static void CheckGroups(IReadOnlyList<AdamWGroup> groups, long length)
    {
        long end = 0;
        foreach (var group in groups.OrderBy(group => group.Offset))
        {
            if (group.Offset < end || group.Length < 1 || group.Length > length - group.Offset)
                throw new ArgumentException(
                    $"the group at {group.Offset} of length {group.Length} overlaps another or lies outside 0 to {length}");
            end = group.Offset + group.Length;
            if (!(group.LearningRate >= 0) || !(group.WeightDecay >= 0))
            {
                throw new LabException(
                    $"The learning rate is {group.LearningRate} and the weight decay {group.WeightDecay}; both must be at least 0.");
            }
        }
    }

    private static void Check(IReadOnlyDictionary<string, Tensor> state, string name, long[] shape, ScalarType type, List<string> errors)
    {
        if (!state.TryGetValue(name, out var value))
            errors.Add($"'{name}' is missing");
        else if (value.dtype != type || !value.shape.AsSpan().SequenceEqual(shape))
            errors.Add($"'{name}' is {value.dtype} [{string.Join(", ", value.shape)}] instead of {type} [{string.Join(", ", shape)}]");
    }
}
