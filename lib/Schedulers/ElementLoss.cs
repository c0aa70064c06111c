using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Schedulers;

/// <summary>
/// The loss of single elements. Source of all but l2: kohya sd-scripts 48d368f, train_util.py, conditional_loss and
/// get_huber_threshold_if_needed (its schedule snr needs a diffusion model's table and does not exist for flows).
/// </summary>
internal sealed record ElementLoss
{
    /// <summary>What it is; default l2.</summary>
    public LossType Type { get; init; }

    /// <summary>The threshold c, above 0; default 0.1.</summary>
    public double HuberC { get; init; } = 0.1;

    /// <summary>Factor of the threshold, above 0; default 1.</summary>
    public double HuberScale { get; init; } = 1;

    /// <summary>How the threshold depends on the noise level; default constant.</summary>
    public HuberSchedule Schedule { get; init; }

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="LabException">Names every value that is out of range.</exception>
    public void Validate()
    {
        foreach (var (name, value) in new[] { ("huber_c", HuberC), ("huber_scale", HuberScale) })
        {
            if (!(value > 0) || !double.IsFinite(value))
                throw new LabException($"The loss is wrong: {name} is {value}; it must be above 0.");
        }
    }

    /// <summary>Computes it.</summary>
    /// <param name="error">Prediction minus target, <c>[B, ...]</c>.</param>
    /// <param name="sigmas">Noise levels, broadcastable to the error, as <c>[B, 1, 1, 1]</c>.</param>
    /// <returns>The loss of each element, in the current dispose scope.</returns>
    public Tensor Of(Tensor error, Tensor sigmas)
    {
        if (Type == LossType.L2)
            return error * error;
        if (Type == LossType.L1)
            return error.abs();
        var threshold = Threshold(sigmas);
        var excess = (error * error).add(threshold * threshold, KeptScalar.One).sqrt().sub(threshold);
        return Type == LossType.Huber ? threshold.mul(KeptScalar.Of(2)) * excess : excess.mul(KeptScalar.Of(2));
    }

    /// <summary>c at some noise levels, of their shape.</summary>
    /// <param name="sigmas">Noise levels.</param>
    internal Tensor Threshold(Tensor sigmas) => Schedule == HuberSchedule.Exponential
        ? sigmas.mul(KeptScalar.Of(Math.Log(HuberC))).exp().mul(KeptScalar.Of(HuberScale))
        : full_like(sigmas, KeptScalar.Of(HuberC * HuberScale));
}
