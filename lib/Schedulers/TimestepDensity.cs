using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Schedulers;

/// <summary>
/// How training timesteps are drawn: a value u in [0, 1] per sample, then an index into the training table.
/// Source: diffusers 58eb52c, training_utils.py, compute_density_for_timestep_sampling.
/// </summary>
public sealed record TimestepDensity
{
    /// <summary>
    /// The scheme; default logit_normal. Only logit_normal and mode shape the density, the others are uniform. <c>--weighting_scheme</c>.
    /// </summary>
    public WeightingScheme Scheme { get; init; } = WeightingScheme.LogitNormal;

    /// <summary>Mean of the normal draw of logit_normal; default 0. <c>--logit_mean</c>.</summary>
    public double LogitMean { get; init; }

    /// <summary>Standard deviation of the normal draw of logit_normal, from 0; default 1. <c>--logit_std</c>.</summary>
    public double LogitStd { get; init; } = 1.0;

    /// <summary>Strength of the mode of mode; default 1.29. <c>--mode_scale</c>.</summary>
    public double ModeScale { get; init; } = 1.29;

    /// <summary>Whether the scheme starts from standard normal draws; else from uniform ones in [0, 1).</summary>
    public bool UsesNormalDraws => Scheme == WeightingScheme.LogitNormal;

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="LabException">Names every value that is out of range.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        if (!double.IsFinite(LogitMean))
            errors.Add($"logit_mean is {LogitMean}; it must be finite");
        if (!(LogitStd >= 0) || !double.IsFinite(LogitStd))
            errors.Add($"logit_std is {LogitStd}; it must be at least 0");
        if (!double.IsFinite(ModeScale))
            errors.Add($"mode_scale is {ModeScale}; it must be finite");
        if (errors.Count > 0)
            throw new LabException($"The timestep density is wrong: {string.Join("; ", errors)}.");
    }

    /// <summary>Shapes given draws.</summary>
    /// <param name="draws">Standard normal or uniform values, as <see cref="UsesNormalDraws"/> says; float32, any shape.</param>
    /// <returns>u, nominally in [0, 1], of the same shape.</returns>
    public Tensor FromDraws(Tensor draws)
    {
        ArgumentNullException.ThrowIfNull(draws);
        using var scope = NewDisposeScope();
        // The order of operations is the reference's, so that float32 rounds alike.
        var shaped = Scheme switch
        {
            WeightingScheme.LogitNormal => draws.mul(KeptScalar.Of(LogitStd)).add(KeptScalar.Of(LogitMean), KeptScalar.One).sigmoid(),
            WeightingScheme.Mode => draws.neg().add(KeptScalar.One, KeptScalar.One).sub(Bend(draws).mul(KeptScalar.Of(ModeScale))),
            _ => draws.clone(),
        };
        return shaped.MoveToOuterDisposeScope();
    }

    /// <summary>Draws u for a batch, on the CPU.</summary>
    /// <param name="batchSize">Number of samples.</param>
    /// <param name="generator">A CPU generator; it moves on by the same draws on every machine.</param>
    /// <returns>u, float32, [B] on the CPU.</returns>
    public Tensor Sample(long batchSize, Generator generator)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(batchSize);
        using var draws = UsesNormalDraws
            ? SeededNoise.Normal([batchSize], generator)
            : rand([batchSize], ScalarType.Float32, CPU, generator: generator);
        return FromDraws(draws);
    }

    /// <summary>The indices into the training table: u × count, rounded down.</summary>
    /// <param name="u">Values as <see cref="FromDraws"/> gives them.</param>
    /// <param name="numTrainTimesteps">Length of the training table.</param>
    /// <returns>int64 indices from 0 to count − 1. The reference has no upper bound: its mode scheme maps a draw of exactly 0
    /// to the index count and fails there.</returns>
    public static Tensor Indices(Tensor u, int numTrainTimesteps)
    {
        ArgumentNullException.ThrowIfNull(u);
        using var scope = NewDisposeScope();
        return u.mul(KeptScalar.Of(numTrainTimesteps)).to(ScalarType.Int64)
            .clamp(KeptScalar.Integer(0), KeptScalar.Integer(numTrainTimesteps - 1)).MoveToOuterDisposeScope();
    }

    // cos²(π u / 2) − 1 + u.
    private static Tensor Bend(Tensor draws)
    {
        var cosine = draws.mul(KeptScalar.Of(Math.PI)).div(KeptScalar.Of(2)).cos();
        return cosine.mul(cosine).sub(KeptScalar.One).add(draws, KeptScalar.One);
    }
}
