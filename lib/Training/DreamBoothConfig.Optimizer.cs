using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <content>The optimizer.</content>
public sealed partial record DreamBoothConfig
{
    private const string OptimizerGroup = "Optimizer";
    private const string Lion = "lion", Prodigy = "prodigy", ScheduleFree = "adamw_schedulefree", Adafactor = "adafactor";

    /// <summary>
    /// The optimizer, default AdamW; lion, prodigy (which finds its own step size), adamw_schedulefree (which averages the weights) or
    /// adafactor. Flag <c>--optimizer</c>.
    /// </summary>
    [Flag(
        OptimizerGroup,
        "The optimizer: AdamW; lion (a third to a tenth of AdamW's rate); prodigy (finds its own step size; learning_rate 1); "
        + "adamw_schedulefree (averages the weights; lr_scheduler constant or constant_with_warmup); adafactor (least memory).",
        Choices = ["AdamW", Lion, Prodigy, ScheduleFree, Adafactor])]
    public string Optimizer { get; init; } = "AdamW";

    /// <summary>
    /// Keep AdamW's moments in 8 bits, in blocks of 256, but for tensors of fewer than 4,096 numbers; default false. Flag
    /// <c>--use_8bit_adam</c>.
    /// </summary>
    [Flag(OptimizerGroup, "Keep AdamW's moments in 8 bits, but for tensors of fewer than 4,096 numbers.", Name = "use_8bit_adam")]
    public bool Use8bitAdam { get; init; }

    /// <summary>Decay of the first moment, at least 0 and less than 1, default 0.9; not Lion's. Flag <c>--adam_beta1</c>.</summary>
    [Flag(OptimizerGroup, "Decay of the first moment; AdamW, Prodigy, schedule-free.", Minimum = 0, Maximum = 1, OpenMaximum = true)]
    public double AdamBeta1 { get; init; } = 0.9;

    /// <summary>Decay of the second moment, at least 0 and less than 1, default 0.999; not Lion's. Flag <c>--adam_beta2</c>.</summary>
    [Flag(OptimizerGroup, "Decay of the second moment; AdamW, Prodigy, schedule-free.", Minimum = 0, Maximum = 1, OpenMaximum = true)]
    public double AdamBeta2 { get; init; } = 0.999;

    /// <summary>Weight decay of the transformer's LoRA, at least 0, default 1e-4. Flag <c>--adam_weight_decay</c>.</summary>
    [Flag(OptimizerGroup, "Weight decay of the transformer's LoRA.", Minimum = 0)]
    public double AdamWeightDecay { get; init; } = 1e-4;

    /// <summary>Weight decay of the CLIP encoders' LoRA, at least 0, default 1e-3. Flag <c>--adam_weight_decay_text_encoder</c>.</summary>
    [Flag(OptimizerGroup, "Weight decay of the CLIP encoders' LoRA.", Minimum = 0)]
    public double AdamWeightDecayTextEncoder { get; init; } = 1e-3;

    /// <summary>Added to the square root of the second moment, more than 0, default 1e-8. Flag <c>--adam_epsilon</c>.</summary>
    [Flag(OptimizerGroup, "Added to the square root of the second moment.", Minimum = 0, OpenMinimum = true)]
    public double AdamEpsilon { get; init; } = 1e-8;

    /// <summary>
    /// Largest gradient norm, over transformer and encoders together, more than 0, default 1. Flag <c>--max_grad_norm</c>.
    /// </summary>
    [Flag(OptimizerGroup, "Largest gradient norm, over transformer and encoders together.", Minimum = 0, OpenMinimum = true)]
    public double MaxGradNorm { get; init; } = 1.0;

    /// <summary>
    /// Weight of the past in the direction of Lion's step, at least 0 and less than 1, default 0.9. Flag <c>--lion_beta1</c>.
    /// </summary>
    [Flag(OptimizerGroup, "Lion: weight of the past in a step's direction.", Minimum = 0, Maximum = 1, OpenMaximum = true)]
    public double LionBeta1 { get; init; } = 0.9;

    /// <summary>Decay of Lion's moment, at least 0 and less than 1, default 0.99. Flag <c>--lion_beta2</c>.</summary>
    [Flag(OptimizerGroup, "Lion: decay of its moment.", Minimum = 0, Maximum = 1, OpenMaximum = true)]
    public double LionBeta2 { get; init; } = 0.99;

    /// <summary>
    /// Decay of the sums that Prodigy's step size is made of, at least 0 and less than 1; null (the default): √adam_beta2. Flag
    /// <c>--prodigy_beta3</c>.
    /// </summary>
    [Flag(
        OptimizerGroup, "Prodigy: decay of the sums that the step size is made of.", Minimum = 0, Maximum = 1, OpenMaximum = true,
        DefaultText = "the root of adam_beta2")]
    public double? ProdigyBeta3 { get; init; }

    /// <summary>Prodigy's weight decay is AdamW's, default true; false: a part of the gradient. Flag <c>--prodigy_decouple</c>.</summary>
    [Flag(OptimizerGroup, "Prodigy: weight decay as AdamW's instead of as a part of the gradient.")]
    public bool ProdigyDecouple { get; init; } = true;

    /// <summary>Prodigy corrects the moments of the first steps, default true. Flag <c>--prodigy_use_bias_correction</c>.</summary>
    [Flag(OptimizerGroup, "Prodigy: correct the moments of the first steps, as Adam does.")]
    public bool ProdigyUseBiasCorrection { get; init; } = true;

    /// <summary>
    /// Prodigy leaves the rate out of the denominator of its step size, default true. Flag <c>--prodigy_safeguard_warmup</c>.
    /// </summary>
    [Flag(OptimizerGroup, "Prodigy: leave the rate out of the step size's denominator, which a warm-up would distort.")]
    public bool ProdigySafeguardWarmup { get; init; } = true;

    /// <summary>Prodigy's first step size, more than 0, default 1e-6. Flag <c>--prodigy_d0</c>.</summary>
    [Flag(OptimizerGroup, "Prodigy: the first step size.", Minimum = 0, OpenMinimum = true)]
    public double ProdigyD0 { get; init; } = 1e-6;

    /// <summary>Factor of Prodigy's step size, more than 0, default 1. Flag <c>--prodigy_d_coef</c>.</summary>
    [Flag(OptimizerGroup, "Prodigy: factor of the step size.", Minimum = 0, OpenMinimum = true)]
    public double ProdigyDCoef { get; init; } = 1;

    /// <summary>
    /// The most by which Prodigy's step size grows in a step, more than 1; null (the default): any. Flag <c>--prodigy_growth_rate</c>.
    /// </summary>
    [Flag(
        OptimizerGroup, "Prodigy: the most by which the step size grows in a step.", Minimum = 1, OpenMinimum = true, DefaultText = "any")]
    public double? ProdigyGrowthRate { get; init; }

    /// <summary>
    /// Prodigy's step size is made of every nth number of each tensor, at least 1, default 1. Flag <c>--prodigy_slice_p</c>.
    /// </summary>
    [Flag(OptimizerGroup, "Prodigy: make the step size of every nth number, which saves memory; 11 is usual.", Minimum = 1)]
    public int ProdigySliceP { get; init; } = 1;

    /// <summary>
    /// Adafactor's rate is the smaller of 0.01 and 1/√step, whatever the learning rate; default false (transformers: true). Flag
    /// <c>--adafactor_relative_step</c>.
    /// </summary>
    [Flag(OptimizerGroup, "Adafactor: the smaller of 0.01 and 1/√step as the rate, whatever learning_rate is.")]
    public bool AdafactorRelativeStep { get; init; }

    /// <summary>
    /// Adafactor multiplies each tensor's rate by its root mean square, with which a LoRA's B, which begins at 0, hardly moves; default
    /// false (transformers: true). Flag <c>--adafactor_scale_parameter</c>.
    /// </summary>
    [Flag(OptimizerGroup, "Adafactor: multiply a tensor's rate by its root mean square; a LoRA's B, which begins at 0, then hardly moves.")]
    public bool AdafactorScaleParameter { get; init; }

    /// <summary>With a relative step, begin at 1e-6 times the step; default false. Flag <c>--adafactor_warmup_init</c>.</summary>
    [Flag(OptimizerGroup, "Adafactor: with adafactor_relative_step begin at 1e-6 times the step.")]
    public bool AdafactorWarmupInit { get; init; }
}
