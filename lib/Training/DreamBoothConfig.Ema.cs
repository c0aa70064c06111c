using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <content>The moving average of the LoRA's weights.</content>
public sealed partial record DreamBoothConfig
{
    private const string EmaGroup = "Moving average";

    /// <summary>
    /// Save and validate with a moving average of the LoRA's weights instead of those of the last step, default false. Flag
    /// <c>--use_ema</c>.
    /// </summary>
    [Flag(EmaGroup, "Save and validate with a moving average of the LoRA's weights.")]
    public bool UseEma { get; init; }

    /// <summary>
    /// The largest share that the average keeps of itself in a step, 0 to 1, default 0.9999. Flag <c>--ema_decay</c>.
    /// </summary>
    [Flag(EmaGroup, "Largest share that the average keeps of itself in a step.", Minimum = 0, Maximum = 1)]
    public double EmaDecay { get; init; } = 0.9999;

    /// <summary>The smallest share after the first step, 0 to 1, default 0. Flag <c>--ema_min_decay</c>.</summary>
    [Flag(EmaGroup, "Smallest share after the first step.", Minimum = 0, Maximum = 1)]
    public double EmaMinDecay { get; init; }

    /// <summary>
    /// Steps in which the average only follows the weights, at least 0, default 0. Flag <c>--ema_update_after_step</c>.
    /// </summary>
    [Flag(EmaGroup, "Steps in which the average only follows the weights.", Minimum = 0)]
    public int EmaUpdateAfterStep { get; init; }

    /// <summary>
    /// The share rises as 1 − (1 + step / γ)^−power, default false: as (1 + step) / (10 + step). Flag <c>--use_ema_warmup</c>.
    /// </summary>
    [Flag(EmaGroup, "The share rises as 1 − (1 + step / γ)^−power instead of as (1 + step) / (10 + step).")]
    public bool UseEmaWarmup { get; init; }

    /// <summary>γ of the warm-up, more than 0, default 1. Flag <c>--ema_inv_gamma</c>.</summary>
    [Flag(EmaGroup, "γ of use_ema_warmup.", Minimum = 0, OpenMinimum = true)]
    public double EmaInvGamma { get; init; } = 1;

    /// <summary>Power of the warm-up, more than 0, default 2/3. Flag <c>--ema_power</c>.</summary>
    [Flag(EmaGroup, "Power of use_ema_warmup; 0.75 suits shorter trainings.", Minimum = 0, OpenMinimum = true)]
    public double EmaPower { get; init; } = 2.0 / 3;

    /// <summary>How the moving average is made; null without one.</summary>
    public EmaConfig? Ema() => !UseEma ? null : new()
    {
        Decay = EmaDecay,
        MinDecay = EmaMinDecay,
        UpdateAfterStep = EmaUpdateAfterStep,
        UseWarmup = UseEmaWarmup,
        InvGamma = EmaInvGamma,
        Power = EmaPower,
    };

    private void CheckEma()
    {
        if (UseEma && Uses(ScheduleFree))
            throw new LabException("use_ema does not go with optimizer adamw_schedulefree, which averages the weights itself.");
        Ema()?.Validate();
    }

    private IEnumerable<string> EmaNotices() => WithoutEffect(
        UseEma, "use_ema", nameof(EmaDecay), nameof(EmaMinDecay), nameof(EmaUpdateAfterStep), nameof(UseEmaWarmup), nameof(EmaInvGamma),
        nameof(EmaPower));
}
