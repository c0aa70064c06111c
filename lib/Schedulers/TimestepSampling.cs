using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Schedulers;

/// <summary>
/// How training draws noise levels: a density, a shift towards noise, a range. Sources: the densities of Esser et al. (arXiv 2403.03206),
/// section 3.1; kohya sd-scripts 48d368f, sd3_train_utils.py and flux_train_utils.py, whose names are <c>timestep_sampling</c>,
/// <c>sigmoid_scale</c>, <c>training_shift</c>, <c>discrete_flow_shift</c> and, for a shift by the picture's size, <c>flux_shift</c>.
/// </summary>
internal sealed record TimestepSampling
{
    /// <summary>Levels in units of which the range is given.</summary>
    public const int Levels = 1000;

    /// <summary>How a level is drawn.</summary>
    public TimestepSamplingKind Kind { get; init; }

    /// <summary>The parameters of the densities, and the scheme of <see cref="TimestepSamplingKind.Scheme"/>.</summary>
    public TimestepDensity Density { get; init; } = new();

    /// <summary>Factor of the normal draw of <see cref="TimestepSamplingKind.Sigmoid"/>, above 0.</summary>
    public double SigmoidScale { get; init; } = 1;

    /// <summary>The shift s of <c>s σ / (1 + (s − 1) σ)</c>, above 0; null: the model's own.</summary>
    public double? Shift { get; init; }

    /// <summary>Whether the shift grows with the picture, instead.</summary>
    public bool IsDynamic { get; init; }

    /// <summary>The lowest level, in thousandths.</summary>
    public int Lowest { get; init; }

    /// <summary>The highest level, in thousandths.</summary>
    public int Highest { get; init; } = Levels;

    /// <summary>Whether places in the model's own table are drawn, and nothing else is asked for: the reference's way.</summary>
    public bool IsOfTable => Kind == TimestepSamplingKind.Scheme && Shift is null && !IsDynamic && (Lowest, Highest) == (0, Levels);

    /// <summary>Whether standard normal values are drawn; else uniform ones in [0, 1).</summary>
    public bool UsesNormalDraws => Kind switch
    {
        TimestepSamplingKind.Scheme => Density.UsesNormalDraws,
        var kind => kind is TimestepSamplingKind.Sigmoid or TimestepSamplingKind.LogitNormal,
    };

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="LabException">Names every value that is out of range.</exception>
    public void Validate()
    {
        Density.Validate();
        var errors = new List<string>();
        if (!(SigmoidScale > 0) || !double.IsFinite(SigmoidScale))
            errors.Add($"sigmoid_scale is {SigmoidScale}; it must be above 0");
        if (Shift is { } shift && (!(shift > 0) || !double.IsFinite(shift)))
            errors.Add($"timestep_shift is {shift}; it must be above 0");
        if (Shift is not null && IsDynamic)
            errors.Add("timestep_shift and dynamic_timestep_shift exclude each other; give one of them");
        if (Lowest < 0 || Highest > Levels || Lowest >= Highest)
            errors.Add($"min_timestep is {Lowest} and max_timestep {Highest}; they must be 0 to {Levels}, the first below the second");
        if (errors.Count > 0)
            throw new LabException($"The timestep sampling is wrong: {string.Join("; ", errors)}.");
    }

    /// <summary>Shapes given draws.</summary>
    /// <param name="draws">Standard normal or uniform values, as <see cref="UsesNormalDraws"/> says; float32, <c>[B]</c>.</param>
    /// <param name="model">The model's schedule, with its shift and the length of its table.</param>
    /// <param name="patches">Patches of the picture, for a dynamic shift.</param>
    /// <returns>Noise levels times 1000, <see cref="Lowest"/> to <see cref="Highest"/>, of the same shape.</returns>
    public Tensor Timesteps(Tensor draws, FlowMatchEulerDiscreteSchedulerConfig model, long patches)
    {
        using var scope = NewDisposeScope();
        // The order of operations is the source's, so that float32 rounds alike.
        var shift = IsDynamic ? Math.Exp(SamplerConfig.MuOf(patches)) : Shift ?? model.Shift;
        var levels = Unshifted(draws, model.NumTrainTimesteps).clamp(KeptScalar.Of(0), KeptScalar.One);
        levels = levels.mul(KeptScalar.Of(shift)).div(levels.mul(KeptScalar.Of(shift - 1)).add(KeptScalar.One, KeptScalar.One));
        return levels.mul(KeptScalar.Of(Highest - Lowest)).add(KeptScalar.Of(Lowest), KeptScalar.One).MoveToOuterDisposeScope();
    }

    /// <summary>Draws the noise levels of a batch, on the CPU.</summary>
    /// <param name="batchSize">Number of samples.</param>
    /// <param name="generator">A CPU generator; it moves on by the same draws on every machine.</param>
    /// <param name="model">The model's schedule.</param>
    /// <param name="patches">Patches of the picture.</param>
    /// <returns>σ, float32, <c>[B]</c>, at least a thousandth, so that a weighting by 1/σ² stays finite.</returns>
    public Tensor Sample(long batchSize, Generator generator, FlowMatchEulerDiscreteSchedulerConfig model, long patches)
    {
        using var scope = NewDisposeScope();
        var draws = UsesNormalDraws
            ? SeededNoise.Normal([batchSize], generator)
            : rand([batchSize], ScalarType.Float32, CPU, generator: generator);
        return Timesteps(draws, model, patches).div(KeptScalar.Of(Levels)).clamp(KeptScalar.Of(1.0 / Levels), KeptScalar.One)
            .MoveToOuterDisposeScope();
    }

    private Tensor Unshifted(Tensor draws, int count) => Kind switch
    {
        TimestepSamplingKind.Uniform => draws,
        TimestepSamplingKind.Sigmoid => draws.mul(KeptScalar.Of(SigmoidScale)).sigmoid(),
        TimestepSamplingKind.LogitNormal => (Density with { Scheme = WeightingScheme.LogitNormal }).FromDraws(draws),
        TimestepSamplingKind.Mode => (Density with { Scheme = WeightingScheme.Mode }).FromDraws(draws),
        // 1 − 1 / (tan(π u / 2) + 1).
        TimestepSamplingKind.Cosmap => draws.mul(KeptScalar.Of(Math.PI / 2)).tan().add(KeptScalar.One, KeptScalar.One).reciprocal().neg()
            .add(KeptScalar.One, KeptScalar.One),
        // The table falls from 1 in equal steps before it is shifted.
        _ => TimestepDensity.Indices(Density.FromDraws(draws), count).to(ScalarType.Float32).neg()
            .add(KeptScalar.Of(count), KeptScalar.One).div(KeptScalar.Of(count)),
    };
}
