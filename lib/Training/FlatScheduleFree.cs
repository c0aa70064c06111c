using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// Schedule-free AdamW over one flat tensor of parameters: in place of a falling rate it averages the weights. The parameters are those at
/// which gradients are computed; <see cref="FlatOptimizer.EvaluationWeights"/> gives the average, which is what to generate with and save.
/// </summary>
/// <remarks>
/// Source of the numerics: Defazio et al., arXiv 2405.15682, AdamWScheduleFree of schedule_free 70785b5; its warm-up is the schedule's.
/// Its state are the fast weights <c>z</c>, <c>exp_avg_sq</c>, with inner momentum <c>exp_avg</c>, and for each group the sum of the
/// steps' weights in the average and the largest rate so far.
/// </remarks>
public sealed class FlatScheduleFree : FlatOptimizer
{
    private readonly Tensor _fast, _meanSquare, _weightSum, _largestRate;
    private readonly Tensor? _mean;
    private readonly ScheduleFreeConfig _config;

    /// <summary>Creates an optimizer that has taken no step.</summary>
    /// <param name="parameters">All parameters, [N], contiguous, floating point; changed by each step. Stays the caller's.</param>
    /// <param name="gradients">Their gradients, [N], same type and device; read by each step. Stays the caller's.</param>
    /// <param name="groups">Stretches that do not overlap; elements outside all of them are left alone.</param>
    /// <param name="config">The settings that all share; the defaults when null.</param>
    /// <exception cref="LabException">A setting, rate or weight decay is out of range.</exception>
    /// <exception cref="ArgumentException">Tensors do not match, or a group overlaps another or lies outside.</exception>
    public FlatScheduleFree(Tensor parameters, Tensor gradients, IReadOnlyList<ParameterGroup> groups, ScheduleFreeConfig? config = null)
        : base(parameters, gradients, groups)
    {
        _config = config ?? new();
        _config.Validate();
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        _fast = Keep("z", zeros_like(gradients));
        _meanSquare = Keep("exp_avg_sq", zeros_like(gradients));
        if (_config.InnerMomentum != 0)
            _mean = Keep("exp_avg", zeros_like(gradients));
        _weightSum = Keep("weight_sum", zeros([groups.Count], ScalarType.Float64, CPU));
        _largestRate = Keep("lr_max", zeros([groups.Count], ScalarType.Float64, CPU));
    }

    internal override bool HasEvaluationWeights => true;

    private protected override IEnumerable<Tensor> Watched => [_meanSquare, _fast];

    internal override Tensor EvaluationWeights()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var average = Parameters.clone();
        if (StepCount == 0)
            return average.MoveToOuterDisposeScope();
        foreach (var group in Groups)
            Interpolate(Part(average, group), Part(_fast, group), 1 - (1 / _config.Beta1));
        return average.MoveToOuterDisposeScope();
    }

    private protected override void Update(double learningRateFactor)
    {
        if (StepCount == 1)
            _fast.copy_(Parameters);
        using var squareCorrection = KeptScalar.Once(1 - Math.Pow(_config.Beta2, StepCount));
        _meanSquare.mul_(KeptScalar.Of(_config.Beta2)).addcmul_(Gradients, Gradients, KeptScalar.Of(1 - _config.Beta2));
        var denominator = _meanSquare.div(squareCorrection).sqrt_().add_(KeptScalar.Of(_config.Epsilon), KeptScalar.One);
        var normalized = Momentum().div_(denominator);
        for (var index = 0; index < Groups.Count; index++)
        {
            var group = Groups[index];
            var rate = group.LearningRate * learningRateFactor;
            var share = Share(index, rate);
            var (weights, fast, move) = (Part(Parameters, group), Part(_fast, group), Part(normalized, group));
            if (group.WeightDecay != 0)
            {
                using var decay = KeptScalar.Once(InRange(group.WeightDecay));
                move.add_(weights, decay);
            }

            using var slow = KeptScalar.Once(InRange(rate * ((_config.Beta1 * (1 - share)) - 1)));
            using var whole = KeptScalar.Once(InRange(-rate));
            Interpolate(weights, fast, share);
            weights.add_(move, slow);
            fast.add_(move, whole);
        }
    }

    private Tensor Momentum()
    {
        if (_mean is null)
            return Gradients.clone();
        using var correction = KeptScalar.Once(1 - Math.Pow(_config.InnerMomentum, StepCount));
        _mean.mul_(KeptScalar.Of(_config.InnerMomentum)).add_(Gradients, KeptScalar.Of(1 - _config.InnerMomentum));
        return _mean.div(correction);
    }

    // What this step counts in the average. Both figures lie in the processor's memory: nothing waits for a device.
    private double Share(int group, double rate)
    {
        var (sums, rates) = (_weightSum.data<double>(), _largestRate.data<double>());
        rates[group] = Math.Max(rates[group], rate);
        var weight = Math.Pow(StepCount, _config.AveragePower) * Math.Pow(rates[group], _config.RatePower);
        sums[group] += weight;
        return sums[group] == 0 ? 0 : weight / sums[group];
    }

    // As torch.lerp, which is exact at both ends.
    private static void Interpolate(Tensor from, Tensor to, double weight)
    {
        var difference = to.add(from, KeptScalar.Of(-1));
        using var small = KeptScalar.Once(weight);
        using var rest = KeptScalar.Once(weight - 1);
        if (Math.Abs(weight) < 0.5)
            from.add_(difference, small);
        else
            from.copy_(to).add_(difference, rest);
    }
}
