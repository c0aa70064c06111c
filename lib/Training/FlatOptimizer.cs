using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// An optimizer over one flat tensor of parameters and one of gradients, of which the model's parameters and their gradients are views. A
/// step is some in-place operations, whatever the number of parameters, and reads nothing back from the device.
/// </summary>
public abstract partial class FlatOptimizer : IDisposable
{
    private const string StepKey = "step";

    private readonly List<(string Name, Tensor Values)> _state = [];

    private protected FlatOptimizer(Tensor parameters, Tensor gradients, IReadOnlyList<ParameterGroup> groups)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(gradients);
        ArgumentNullException.ThrowIfNull(groups);
        if (parameters.dim() != 1 || !parameters.is_floating_point() || !gradients.shape.AsSpan().SequenceEqual(parameters.shape)
            || gradients.dtype != parameters.dtype
            || gradients.device_type != parameters.device_type || gradients.device_index != parameters.device_index)
            throw new ArgumentException("parameters and gradients must be flat floating-point tensors of one length, type and device");
        CheckGroups(groups, parameters.numel());
        (Parameters, Gradients, Groups) = (parameters, gradients, groups);
    }

    /// <summary>The ranges with their own rates.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>Number of steps taken.</summary>
    public long StepCount { get; private set; }

    /// <summary>The bytes of what <see cref="StateDict"/> holds, without the number of steps.</summary>
    public long StateBytes => _state.Sum(entry => entry.Values.numel() * entry.Values.element_size());

    private protected Tensor Parameters { get; }

    private protected Tensor Gradients { get; }

    /// <summary>Updates the parameters with the current gradients.</summary>
    /// <param name="learningRateFactor">The schedule's factor for this step, by which every group's rate is multiplied.</param>
    public void Step(double learningRateFactor = 1)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        StepCount++;
        Update(learningRateFactor);
    }

    /// <summary>
    /// The state from which a run continues as if it had not stopped: <c>step</c> (int64, rank 0) and what the optimizer keeps for each
    /// parameter, by the names of its source. They are the optimizer's own tensors: save or copy them before the next step.
    /// </summary>
    /// <returns>A new dictionary; <c>step</c> is the caller's to dispose, the rest is not.</returns>
    public IReadOnlyDictionary<string, Tensor> StateDict()
    {
        var state = new Dictionary<string, Tensor> { [StepKey] = tensor(StepCount) };
        foreach (var (name, values) in _state)
            state.Add(name, values);
        return state;
    }

    /// <summary>Takes over a state that <see cref="StateDict"/> gave.</summary>
    /// <param name="state">Its tensors, of any device; they stay the caller's.</param>
    /// <exception cref="LabException">One is missing, superfluous, of another shape or type, or not finite; none is changed.</exception>
    public void LoadStateDict(IReadOnlyDictionary<string, Tensor> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var errors = new List<string>();
        Check(state, StepKey, [], ScalarType.Int64, errors);
        foreach (var (name, values) in _state)
            Check(state, name, values.shape, values.dtype, errors);
        errors.AddRange(
            state.Keys.Except(_state.Select(entry => entry.Name).Prepend(StepKey)).Select(name => $"'{name}' is unexpected"));
        if (errors.Count > 0)
            throw new LabException($"The optimizer's state does not fit: {string.Join("; ", errors)}.");
        foreach (var (name, values) in _state)
        {
            if (values.is_floating_point())
                FiniteCheck.Require(state[name], $"The optimizer's state '{name}'");
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, values) in _state)
            values.copy_(state[name]);
        StepCount = state[StepKey].cpu().item<long>();
    }

    /// <summary>Disposes the state; parameters and gradients are the caller's.</summary>
    public void Dispose()
    {
        foreach (var (_, values) in _state)
            values.Dispose();
        foreach (var copy in _before ?? [])
            copy.Dispose();
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>One step; <see cref="StepCount"/> counts it already. No gradients, within a dispose scope of its own.</summary>
    private protected abstract void Update(double learningRateFactor);

    /// <summary>Frees what is no part of the state.</summary>
    private protected virtual void Free()
    {
    }

    /// <summary>Makes a tensor a part of the state, and the base's to dispose.</summary>
    private protected Tensor Keep(string name, Tensor values)
    {
        _state.Add((name, values.DetachFromDisposeScope()));
        return values;
    }

    private protected static Tensor Part(Tensor flat, ParameterGroup group) => flat.narrow(0, group.Offset, group.Length);

    /// <summary>A number beyond float32 is infinite there; libtorch refuses it in some operations and wraps it in others.</summary>
    private protected static double InRange(double number) =>
        Math.Abs(number) > float.MaxValue ? double.CopySign(double.PositiveInfinity, number) : number;

    private static void CheckGroups(IReadOnlyList<ParameterGroup> groups, long length)
    {
        long end = 0;
        foreach (var group in groups.OrderBy(group => group.Offset))
        {
            if (group.Offset < end || group.Length < 1 || group.Length > length - group.Offset)
                throw new ArgumentException(
                    $"the group at {group.Offset} of length {group.Length} overlaps another or lies outside 0 to {length}");
            if (group.Shapes.Count > 0 && group.Shapes.Sum(ParameterGroup.Count) is var count && count != group.Length)
                throw new ArgumentException($"the shapes of the group at {group.Offset} hold {count} numbers instead of {group.Length}");
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
