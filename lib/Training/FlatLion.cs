using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// Lion over one flat tensor of parameters: every weight moves by the rate, against the sign of a mean of gradients.
/// </summary>
/// <remarks>
/// Source of the numerics: Chen et al., arXiv 2302.06675, as lion-pytorch 6a74fdc has it. Its state is one moment, <c>exp_avg</c>. Its rate
/// is a third to a tenth of AdamW's, its weight decay as many times larger.
/// </remarks>
public sealed class FlatLion : FlatOptimizer
{
    private readonly Tensor _mean;
    private readonly LionConfig _config;

    /// <summary>Creates an optimizer with a zero moment.</summary>
    /// <param name="parameters">All parameters, [N], contiguous, floating point; changed by each step. Stays the caller's.</param>
    /// <param name="gradients">Their gradients, [N], same type and device; read by each step. Stays the caller's.</param>
    /// <param name="groups">Stretches that do not overlap; elements outside all of them are left alone.</param>
    /// <param name="config">The settings that all share; the defaults when null.</param>
    /// <exception cref="LabException">A setting, rate or weight decay is out of range.</exception>
    /// <exception cref="ArgumentException">Tensors do not match, or a group overlaps another or lies outside.</exception>
    public FlatLion(Tensor parameters, Tensor gradients, IReadOnlyList<ParameterGroup> groups, LionConfig? config = null)
        : base(parameters, gradients, groups)
    {
        _config = config ?? new();
        _config.Validate();
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        _mean = Keep("exp_avg", zeros_like(gradients));
    }

    private protected override IEnumerable<Tensor> Watched => [_mean];

    private protected override void Update(double learningRateFactor)
    {
        var direction = _mean.mul(KeptScalar.Of(_config.Beta1)).add_(Gradients, KeptScalar.Of(1 - _config.Beta1)).sign_();
        foreach (var group in Groups)
        {
            var rate = group.LearningRate * learningRateFactor;
            var weights = Part(Parameters, group);
            using var decay = KeptScalar.Once(InRange(1 - (rate * group.WeightDecay)));
            using var step = KeptScalar.Once(InRange(-rate));
            if (group.WeightDecay != 0)
                weights.mul_(decay);
            weights.add_(Part(direction, group), step);
        }

        _mean.mul_(KeptScalar.Of(_config.Beta2)).add_(Gradients, KeptScalar.Of(1 - _config.Beta2));
    }
}
