using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// Prodigy over one flat tensor of parameters: AdamW that estimates its own step size, d, from the distance to the first weights. The rate
/// is a factor of d, as a rule 1.
/// </summary>
/// <remarks>
/// Source of the numerics: Mishchenko and Defazio, arXiv 2306.06101, prodigyopt 3efb213. One d serves all groups; a step is taken with
/// the d of before. Everything that depends on d stays on the device. Its state: the moments <c>exp_avg</c> and <c>exp_avg_sq</c>, the
/// first weights <c>p0</c>, the sums <c>s</c>, and as float64 <c>d</c>, <c>d_max</c>, <c>d_numerator</c> and the counted steps <c>k</c>.
/// </remarks>
public sealed class FlatProdigy : FlatOptimizer
{
    private readonly ProdigyConfig _config;
    private readonly Tensor _mean, _meanSquare, _first, _sums;
    private readonly Tensor _d, _largestD, _numerator, _counted;
    private readonly List<Slice> _slices = [];

    /// <summary>Creates an optimizer that has taken no step.</summary>
    /// <param name="parameters">All parameters, [N], contiguous, floating point; changed by each step. Stays the caller's.</param>
    /// <param name="gradients">Their gradients, [N], same type and device; read by each step. Stays the caller's.</param>
    /// <param name="groups">Stretches that do not overlap, of one rate or rate 0; elements outside all of them are left alone.</param>
    /// <param name="config">The settings that all share; the defaults when null.</param>
    /// <exception cref="LabException">A setting, rate or weight decay is out of range, or groups have different rates.</exception>
    /// <exception cref="ArgumentException">Tensors do not match, or a group overlaps another or lies outside.</exception>
    public FlatProdigy(Tensor parameters, Tensor gradients, IReadOnlyList<ParameterGroup> groups, ProdigyConfig? config = null)
        : base(parameters, gradients, groups)
    {
        _config = config ?? new();
        _config.Validate();
        if (groups.Select(group => group.LearningRate).Where(rate => rate != 0).Distinct().Skip(1).Any())
        {
            throw new LabException(
                $"Prodigy's groups have the rates {string.Join(", ", groups.Select(group => group.LearningRate))}; one rate, or 0, is "
                + "valid.");
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var group in groups)
            _slices.Add(SliceOf(group, _slices.Sum(slice => slice.Length)));
        var sliced = _slices.Sum(slice => slice.Length);
        _mean = Keep("exp_avg", zeros_like(gradients));
        _meanSquare = Keep("exp_avg_sq", zeros_like(gradients));
        _first = Keep("p0", zeros([sliced], parameters.dtype, parameters.device));
        _sums = Keep("s", zeros([sliced], parameters.dtype, parameters.device));
        _d = Keep("d", Number(_config.D0));
        _largestD = Keep("d_max", Number(_config.D0));
        _numerator = Keep("d_numerator", Number(0));
        _counted = Keep("k", Number(0));
    }

    internal override Tensor StepSize => _d;

    private protected override IEnumerable<Tensor> Watched => [_meanSquare, _sums, _d];

    private protected override void Update(double learningRateFactor)
    {
        if (StepCount == 1)
        {
            foreach (var (group, slice) in Groups.Zip(_slices))
                slice.Of(_first).copy_(slice.Read(Part(Parameters, group)));
        }

        var rate = Groups.Max(group => group.LearningRate) * learningRateFactor;

        // As in the source, a step of rate 0 counts for nothing.
        if (rate == 0)
            return;
        var step = Times(_d, rate);
        if (_config.UseBiasCorrection)
            step = step.mul_(BiasCorrection());
        var (change, denominator) = Gather(step);
        var moved = denominator.gt(KeptScalar.Of(0));
        Estimate(change, denominator, moved);
        _counted.add_(moved.to(ScalarType.Float64), KeptScalar.One);
        Move(step.mul_(moved.to(ScalarType.Float64)).to(Parameters.dtype));
    }

    private protected override void Free()
    {
        foreach (var slice in _slices)
            slice.Places?.Dispose();
    }

    // What the gradients add to moments, sums and the numerator; the latter is returned with the denominator.
    private (Tensor Change, Tensor Denominator) Gather(Tensor step)
    {
        var relative = Times(_d, 1 / _config.D0);
        var ofMean = Times(_d, 1 - _config.Beta1).to(Parameters.dtype);
        var ofSquare = Times(_d.mul(_d), 1 - _config.Beta2).to(Parameters.dtype);
        var ofSums = relative.mul(_config.SafeguardWarmup ? _d : step).to(Parameters.dtype);
        var (products, denominator) = (Number(0), Number(0));
        foreach (var (group, slice) in Groups.Zip(_slices))
        {
            if (group.LearningRate == 0)
                continue;
            var (weights, gradients) = (Part(Parameters, group), Coupled(group));
            var (seen, sums) = (slice.Read(gradients), slice.Of(_sums));
            var way = slice.Of(_first).add(slice.Read(weights), KeptScalar.Of(-1));
            products.add_(seen.mul(way).sum().to(ScalarType.Float64), KeptScalar.One);
            Part(_mean, group).mul_(KeptScalar.Of(_config.Beta1)).add_(gradients.mul(ofMean), KeptScalar.One);
            Part(_meanSquare, group).mul_(KeptScalar.Of(_config.Beta2))
                .addcmul_(gradients, gradients.mul(ofSquare), KeptScalar.One);
            sums.mul_(KeptScalar.Of(Beta3)).add_(seen.mul(ofSums), KeptScalar.One);
            denominator.add_(sums.abs().sum().to(ScalarType.Float64), KeptScalar.One);
        }

        return (products.mul_(relative).mul_(step), denominator);
    }

    // Where there was no gradient yet, all stays as it is.
    private void Estimate(Tensor change, Tensor denominator, Tensor moved)
    {
        var numerator = Times(_numerator, Beta3).add_(change, KeptScalar.One);
        var estimate = Times(numerator, _config.DCoef).div_(denominator).where(moved, _d);
        var isFirst = _d.eq(KeptScalar.Of(_config.D0));
        var grown = maximum(_d, estimate).where(isFirst, _d).mul_(KeptScalar.Of(_config.GrowthRate));
        _largestD.copy_(maximum(_largestD, estimate).where(moved, _largestD));
        _d.copy_(minimum(_largestD, grown).where(moved, _d));
        _numerator.copy_(numerator.where(moved, _numerator));
    }

    private void Move(Tensor step)
    {
        var epsilon = Times(_d, _config.Epsilon).to(Parameters.dtype);
        foreach (var group in Groups)
        {
            var weights = Part(Parameters, group);
            if (group.WeightDecay != 0 && _config.Decouple)
            {
                using var decay = KeptScalar.Once(InRange(-group.WeightDecay));
                weights.addcmul_(weights, step, decay);
            }

            var move = Part(_mean, group).mul(step).div_(Part(_meanSquare, group).sqrt().add_(epsilon, KeptScalar.One));
            weights.add_(move, KeptScalar.Of(-1));
        }
    }

    // A step's gradients; weight decay that is not decoupled is a part of them.
    private Tensor Coupled(ParameterGroup group)
    {
        if (_config.Decouple || group.WeightDecay == 0)
            return Part(Gradients, group);
        using var decay = KeptScalar.Once(InRange(group.WeightDecay));
        return Part(Gradients, group).add(Part(Parameters, group), decay);
    }

    // Of the step that follows, from the number of steps that counted.
    private Tensor BiasCorrection()
    {
        var next = _counted.add(KeptScalar.One, KeptScalar.One);
        Tensor Rest(double beta) => Times(next, Math.Log(beta)).exp_().neg_().add_(KeptScalar.One, KeptScalar.One);
        return Rest(_config.Beta2).sqrt_().div_(Rest(_config.Beta1));
    }

    private double Beta3 => _config.Beta3 ?? Math.Sqrt(_config.Beta2);

    private static Tensor Times(Tensor tensor, double factor)
    {
        using var scalar = KeptScalar.Once(factor);
        return tensor.mul(scalar);
    }

    private Tensor Number(double value) => tensor(value, ScalarType.Float64, Parameters.device);

    private Slice SliceOf(ParameterGroup group, long offset)
    {
        if (_config.SliceP == 1)
            return new Slice(offset, group.Length, null);
        var places = group.Tensors.SelectMany(tensor =>
        {
            var (start, count) = (tensor.Offset - group.Offset, ParameterGroup.Count(tensor.Shape));
            var read = (int)((count + _config.SliceP - 1) / _config.SliceP);
            return Enumerable.Range(0, read).Select(i => start + ((long)i * _config.SliceP));
        }).ToArray();
        return new Slice(offset, places.Length, tensor(places, device: Parameters.device).DetachFromDisposeScope());
    }

    /// <summary>The numbers of a group that the estimate reads.</summary>
    /// <param name="Offset">Where the group's begin in the sums and first weights.</param>
    /// <param name="Length">How many there are.</param>
    /// <param name="Places">Their places in the group; null for all.</param>
    private sealed record Slice(long Offset, long Length, Tensor? Places)
    {
        public Tensor Of(Tensor kept) => kept.narrow(0, Offset, Length);

        public Tensor Read(Tensor part) => Places is null ? part : part.index_select(0, Places);
    }
}
