using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// Adafactor over one flat tensor of parameters: of a matrix it keeps one mean square for each row and each column. Groups need the shapes
/// of their tensors (<see cref="ParameterGroup.Shapes"/>).
/// </summary>
/// <remarks>
/// Source of the numerics: Shazeer and Stern, arXiv 1804.04235, Adafactor of transformers 5.17 (that of torch is another). Tensors of one
/// shape are updated together. The state of the i-th such set: <c>exp_avg_sq_row.i</c> and <c>exp_avg_sq_col.i</c>, or
/// <c>exp_avg_sq.i</c> for tensors of rank 1, and with a beta1 <c>exp_avg.i</c>.
/// </remarks>
public sealed class FlatAdafactor : FlatOptimizer
{
    private const double SquareFloor = 1e-30, ScaleFloor = 1e-3, ClipThreshold = 1, DecayRate = -0.8;

    private readonly AdafactorConfig _config;
    private readonly List<TensorSet> _parts = [];

    /// <summary>Creates an optimizer that has taken no step.</summary>
    /// <param name="parameters">All parameters, [N], contiguous, floating point; changed by each step. Stays the caller's.</param>
    /// <param name="gradients">Their gradients, [N], same type and device; read by each step. Stays the caller's.</param>
    /// <param name="groups">Stretches that do not overlap; elements outside all of them are left alone.</param>
    /// <param name="config">The settings that all share; the defaults when null.</param>
    /// <exception cref="LabException">A setting, rate or weight decay is out of range.</exception>
    /// <exception cref="ArgumentException">Tensors do not match, or a group overlaps another or lies outside.</exception>
    public FlatAdafactor(Tensor parameters, Tensor gradients, IReadOnlyList<ParameterGroup> groups, AdafactorConfig? config = null)
        : base(parameters, gradients, groups)
    {
        _config = config ?? new();
        _config.Validate();
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (run, index) in TensorRun.Of(groups).Select((run, index) => (run, index)))
        {
            Tensor Zeros(string name, IEnumerable<long> shape) =>
                Keep($"{name}.{index}", zeros([run.Count, .. shape], parameters.dtype, parameters.device));
            var isMatrix = run.Shape.Count >= 2;
            _parts.Add(new TensorSet(
                run, run.In(parameters).DetachFromDisposeScope(), run.In(gradients).DetachFromDisposeScope(),
                isMatrix ? Zeros("exp_avg_sq_row", run.Shape.SkipLast(1)) : Zeros("exp_avg_sq", run.Shape.DefaultIfEmpty(1)),
                isMatrix ? Zeros("exp_avg_sq_col", run.Shape.SkipLast(2).Append(run.Shape[^1])) : null,
                _config.Beta1 is null ? null : Zeros("exp_avg", run.Shape.DefaultIfEmpty(1))));
        }
    }

    private protected override IEnumerable<Tensor> Watched => _parts.Select(part => part.Squares);

    internal override double RateOf(ParameterGroup group, double learningRateFactor) => _config.RelativeStep
        ? Math.Min(_config.WarmupInit ? 1e-6 * StepCount : 1e-2, 1 / Math.Sqrt(StepCount)) * learningRateFactor
        : base.RateOf(group, learningRateFactor);

    /// <summary>The bytes of the state for tensors of given shapes, without the number of steps.</summary>
    internal static long BytesOf(IEnumerable<IReadOnlyList<long>> shapes) => sizeof(float) * shapes.Sum(shape =>
        shape.Count < 2
            ? ParameterGroup.Count(shape)
            : (ParameterGroup.Count(shape) / shape[^1]) + (ParameterGroup.Count(shape) / shape[^2]));

    private protected override void Update(double learningRateFactor)
    {
        var decay = 1 - Math.Pow(StepCount, DecayRate);
        foreach (var part in _parts)
        {
            using var scope = NewDisposeScope();
            var group = Groups[part.Run.Group];
            var rate = RateOf(group, learningRateFactor);
            var update = Direction(part, decay);
            update.div_(RootMeanSquare(update, part).div_(KeptScalar.Of(ClipThreshold)).clamp_min_(KeptScalar.One));
            using var whole = KeptScalar.Once(InRange(rate));
            var scale = _config.ScaleParameter
                ? RootMeanSquare(part.Weights, part).clamp_min_(KeptScalar.Of(ScaleFloor)).mul_(whole)
                : null;
            if (scale is null)
                update.mul_(whole);
            else
                update.mul_(scale);
            if (part.Mean is not null)
                update = part.Mean.mul_(KeptScalar.Of(_config.Beta1!.Value)).add_(update, KeptScalar.Of(1 - _config.Beta1.Value));
            if (group.WeightDecay != 0)
                Decay(part.Weights, group.WeightDecay, rate, scale);
            part.Weights.add_(update, KeptScalar.Of(-1));
        }
    }

    private protected override void Free()
    {
        foreach (var part in _parts)
        {
            part.Weights.Dispose();
            part.Gradients.Dispose();
        }
    }

    // The gradient over the root of its mean square, which for matrices is put together from rows and columns.
    private static Tensor Direction(TensorSet part, double decay)
    {
        using var past = KeptScalar.Once(decay);
        using var present = KeptScalar.Once(1 - decay);
        var square = part.Gradients.mul(part.Gradients).add_(KeptScalar.Of(SquareFloor), KeptScalar.One);
        if (part.Columns is null)
            return part.Squares.mul_(past).add_(square, present).rsqrt().mul_(part.Gradients);
        part.Squares.mul_(past).add_(square.mean([-1]), present);
        part.Columns.mul_(past).add_(square.mean([-2]), present);
        var rows = part.Squares.div(part.Squares.mean([-1], keepdim: true)).rsqrt_().unsqueeze(-1);
        return rows.mul(part.Columns.rsqrt().unsqueeze(-2)).mul_(part.Gradients);
    }

    private static void Decay(Tensor weights, double decay, double rate, Tensor? scale)
    {
        using var factor = KeptScalar.Once(InRange(scale is null ? -decay * rate : -decay));
        if (scale is null)
            weights.add_(weights, factor);
        else
            weights.addcmul_(weights, scale, factor);
    }

    // One for each tensor of a part, with the part's rank.
    private static Tensor RootMeanSquare(Tensor values, TensorSet part) => values.mul(values)
        .mean([.. Enumerable.Range(1, Math.Max(part.Run.Shape.Count, 1)).Select(dimension => (long)dimension)], keepdim: true).sqrt_();

    /// <summary>Tensors of one shape.</summary>
    /// <param name="Run">Where they lie.</param>
    /// <param name="Weights">They, <c>[count, …]</c>; a view.</param>
    /// <param name="Gradients">Their gradients, the same shape; a view.</param>
    /// <param name="Squares">Mean squares, of rows where there are columns.</param>
    /// <param name="Columns">Mean squares of columns; null for tensors of rank 1.</param>
    /// <param name="Mean">Mean of updates; null without.</param>
    private sealed record TensorSet(
        TensorRun Run, Tensor Weights, Tensor Gradients, Tensor Squares, Tensor? Columns, Tensor? Mean);
}
