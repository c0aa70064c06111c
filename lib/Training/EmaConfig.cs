using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary>
/// How a moving average of the weights is made. Source: diffusers 58eb52c, training_utils.py (EMAModel); every decay equals the reference
/// as a double.
/// </summary>
public sealed record EmaConfig
{
    /// <summary>The largest share that the average keeps of itself in a step, 0 to 1; default 0.9999. <c>--ema_decay</c>.</summary>
    public double Decay { get; init; } = 0.9999;

    /// <summary>The smallest share after the first step, 0 to <see cref="Decay"/>; default 0. <c>--ema_min_decay</c>.</summary>
    public double MinDecay { get; init; }

    /// <summary>Steps in which the average only follows the weights, from 0; default 0. <c>--ema_update_after_step</c>.</summary>
    public int UpdateAfterStep { get; init; }

    /// <summary>
    /// The share rises as 1 − (1 + step / γ)^−power; false (the default): as (1 + step) / (10 + step). <c>--use_ema_warmup</c>.
    /// </summary>
    public bool UseWarmup { get; init; }

    /// <summary>γ of the warm-up, above 0; default 1. <c>--ema_inv_gamma</c>.</summary>
    public double InvGamma { get; init; } = 1;

    /// <summary>Power of the warm-up, above 0; default 2/3. <c>--ema_power</c>.</summary>
    public double Power { get; init; } = 2.0 / 3;

    /// <summary>The share of itself that the average keeps in a step.</summary>
    /// <param name="step">The step, from 1; the first copies the weights.</param>
    public double DecayAt(long step)
    {
        var counted = Math.Max(0, step - UpdateAfterStep - 1);
        if (counted == 0)
            return 0;
        var rising = UseWarmup ? 1 - Math.Pow(1 + (counted / InvGamma), -Power) : (1.0 + counted) / (10.0 + counted);
        return Math.Max(Math.Min(rising, Decay), MinDecay);
    }

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="LabException">Names every value that is out of range.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        if (!(Decay is >= 0 and <= 1))
            errors.Add($"ema_decay is {Decay}; it must be 0 to 1");
        if (!(MinDecay >= 0 && MinDecay <= Decay))
            errors.Add($"ema_min_decay is {MinDecay}; it must be 0 to ema_decay, {Decay}");
        if (UpdateAfterStep < 0)
            errors.Add($"ema_update_after_step is {UpdateAfterStep}; it must be at least 0");
        if (!(InvGamma > 0) || !double.IsFinite(InvGamma))
            errors.Add($"ema_inv_gamma is {InvGamma}; it must be above 0");
        if (!(Power > 0) || !double.IsFinite(Power))
            errors.Add($"ema_power is {Power}; it must be above 0");
        if (errors.Count > 0)
            throw new LabException($"The moving average's settings are wrong: {string.Join("; ", errors)}.");
    }
}
