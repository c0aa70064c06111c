using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// AdamW with decoupled weight decay over one flat tensor of parameters.
/// </summary>
/// <remarks>
/// Source of the numerics: torch.optim.AdamW of PyTorch 2.11, single-tensor form (Loshchilov and Hutter, arXiv 1711.05101).
/// Besides the two moments, <c>exp_avg</c> and <c>exp_avg_sq</c>, it keeps one buffer of the same size for intermediate values.
/// </remarks>
public sealed class FlatAdamW : FlatOptimizer
{
    private readonly Tensor _mean, _meanSquare, _denominator, _meanWeight;
    private readonly AdamWConfig _config;

    /// <summary>Creates an optimizer with zero moments.</summary>
    /// <param name="parameters">All parameters, [N], contiguous, floating point; changed by each step. Stays the caller's.</param>
    /// <param name="gradients">Their gradients, [N], same type and device; read by each step. Stays the caller's.</param>
    /// <param name="groups">Stretches that do not overlap; elements outside all of them are left alone.</param>
    /// <param name="config">The settings that all share; the defaults when null.</param>
    /// <exception cref="LabException">A setting, rate or weight decay is out of range.</exception>
    /// <exception cref="ArgumentException">Tensors do not match, or a group overlaps another or lies outside.</exception>
    public FlatAdamW(Tensor parameters, Tensor gradients, IReadOnlyList<ParameterGroup> groups, AdamWConfig? config = null)
        : base(parameters, gradients, groups)
    {
        _config = config ?? new();
        _config.Validate();
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        _mean = Keep("exp_avg", zeros_like(gradients));
        _meanSquare = Keep("exp_avg_sq", zeros_like(gradients));
        _denominator = zeros_like(gradients).DetachFromDisposeScope();
        _meanWeight = tensor(1 - _config.Beta1, parameters.dtype, parameters.device).DetachFromDisposeScope();
    }

    private protected override IEnumerable<Tensor> Watched => [_meanSquare];

    internal override OptimizerFault FaultOf(ParameterGroup group, double learningRateFactor)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        if (!FiniteCheck.IsFinite(_meanSquare))
            return OptimizerFault.SquaredGradient;
        var denominator = Part(_denominator, group);
        if (denominator.min().item<float>() == 0)
            return OptimizerFault.Epsilon;
        var rate = group.LearningRate * learningRateFactor;
        var move = FiniteCheck.Largest(Part(_mean, group) / denominator).item<float>() * (rate / (1 - Math.Pow(_config.Beta1, StepCount)));
        return move < float.MaxValue ? OptimizerFault.WeightDecay : OptimizerFault.LearningRate;
    }

    private protected override void Update(double learningRateFactor)
    {
        var meanCorrection = 1 - Math.Pow(_config.Beta1, StepCount);
        var rootCorrection = Math.Sqrt(1 - Math.Pow(_config.Beta2, StepCount));
        _mean.lerp_(Gradients, _meanWeight);
        using var correction = KeptScalar.Once(rootCorrection);
        _meanSquare.mul_(KeptScalar.Of(_config.Beta2)).addcmul_(Gradients, Gradients, KeptScalar.Of(1 - _config.Beta2));
        _denominator.copy_(_meanSquare).sqrt_().div_(correction).add_(KeptScalar.Of(_config.Epsilon), KeptScalar.One);
        foreach (var group in Groups)
        {
            var rate = group.LearningRate * learningRateFactor;
            var weights = Part(Parameters, group);
            using var decay = KeptScalar.Once(InRange(1 - (rate * group.WeightDecay)));
            using var step = KeptScalar.Once(InRange(-(rate / meanCorrection)));
            if (group.WeightDecay != 0)
                weights.mul_(decay);
            weights.addcdiv_(Part(_mean, group), Part(_denominator, group), step);
        }
    }

    private protected override void Free()
    {
        _denominator.Dispose();
        _meanWeight.Dispose();
    }
}
