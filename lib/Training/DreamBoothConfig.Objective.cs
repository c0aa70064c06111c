using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;

namespace Dreambooth.Lab.Training;

/// <content>Noise levels and losses beyond the reference's.</content>
public sealed partial record DreamBoothConfig
{
    /// <summary>
    /// How noise levels are drawn, default scheme: by <see cref="WeightingScheme"/>, which with any other value only weights the loss. Flag
    /// <c>--timestep_sampling</c>.
    /// </summary>
    [Flag(
        LossGroup,
        "How noise levels are drawn: scheme (by weighting_scheme, as the reference), uniform, sigmoid, logit_normal, mode or cosmap; with "
        + "all but scheme, weighting_scheme only weights the loss.", Placeholder = "NAME")]
    public TimestepSamplingKind TimestepSampling { get; init; }

    /// <summary>
    /// Shift of the noise levels, above 1 towards noise, above 0; null (the default): the model's own (3 in the published models). Flag
    /// <c>--timestep_shift</c>.
    /// </summary>
    [Flag(
        LossGroup, "Shift of the noise levels that are drawn; above 1 towards noise, 1 none.", Minimum = 0, OpenMinimum = true,
        Aliases = ["discrete_flow_shift", "training_shift"], DefaultText = "the model's own")]
    public double? TimestepShift { get; init; }

    /// <summary>
    /// Shift by the pictures' size instead: factor 1.65 at 256 pixels to 3.16 at 1024, default false. Flag
    /// <c>--dynamic_timestep_shift</c>.
    /// </summary>
    [Flag(LossGroup, "Shift the noise levels by the pictures' size instead: by 1.65 at 256 pixels to 3.16 at 1024.")]
    public bool DynamicTimestepShift { get; init; }

    /// <summary>Factor of the normal draw of timestep_sampling sigmoid, above 0, default 1. Flag <c>--sigmoid_scale</c>.</summary>
    [Flag(LossGroup, "Factor of the normal draw of timestep_sampling sigmoid.", Minimum = 0, OpenMinimum = true)]
    public double SigmoidScale { get; init; } = 1;

    /// <summary>The lowest noise level, in thousandths, 0 to 999, default 0. Flag <c>--min_timestep</c>.</summary>
    [Flag(LossGroup, "Lowest noise level, in thousandths; what is drawn is squeezed into the range.", Minimum = 0, Maximum = 999)]
    public int MinTimestep { get; init; }

    /// <summary>The highest noise level, in thousandths, 1 to 1000, default 1000. Flag <c>--max_timestep</c>.</summary>
    [Flag(LossGroup, "Highest noise level, in thousandths.", Minimum = 1, Maximum = 1000)]
    public int MaxTimestep { get; init; } = 1000;

    /// <summary>The loss of an error, default l2. Flag <c>--loss_type</c>.</summary>
    [Flag(LossGroup, "Loss of an error: l2, l1, huber or smooth_l1, which mind large errors less.")]
    public LossType LossType { get; init; }

    /// <summary>The threshold of huber and smooth_l1, above 0, default 0.1. Flag <c>--huber_c</c>.</summary>
    [Flag(LossGroup, "Error from which huber and smooth_l1 grow in proportion.", Minimum = 0, OpenMinimum = true)]
    public double HuberC { get; init; } = 0.1;

    /// <summary>Factor of the threshold, above 0, default 1. Flag <c>--huber_scale</c>.</summary>
    [Flag(LossGroup, "Factor of huber_c.", Minimum = 0, OpenMinimum = true)]
    public double HuberScale { get; init; } = 1;

    /// <summary>How the threshold depends on the noise level, default constant. Flag <c>--huber_schedule</c>.</summary>
    [Flag(LossGroup, "Threshold of huber and smooth_l1: constant, or exponential (1 without noise, huber_c in pure noise).")]
    public HuberSchedule HuberSchedule { get; init; }

    /// <summary>How noise levels are drawn.</summary>
    internal TimestepSampling TimestepSamplingParts() => new()
    {
        Kind = TimestepSampling,
        Density = TimestepDensity(),
        SigmoidScale = SigmoidScale,
        Shift = TimestepShift,
        IsDynamic = DynamicTimestepShift,
        Lowest = MinTimestep,
        Highest = MaxTimestep,
    };

    /// <summary>The loss of single elements.</summary>
    internal ElementLoss ElementLoss() => new() { Type = LossType, HuberC = HuberC, HuberScale = HuberScale, Schedule = HuberSchedule };

    private IEnumerable<string> ObjectiveNotices() =>
    [
        .. WithoutEffect(
            TimestepSampling == TimestepSamplingKind.Sigmoid, "timestep_sampling sigmoid", nameof(SigmoidScale)),
        .. WithoutEffect(
            LossType is LossType.Huber or LossType.SmoothL1, "loss_type huber or smooth_l1", nameof(HuberC), nameof(HuberScale),
            nameof(HuberSchedule)),
        .. WithoutEffect(
            Draws(TimestepSamplingKind.LogitNormal, WeightingScheme.LogitNormal), "timesteps drawn by logit_normal", nameof(LogitMean),
            nameof(LogitStd)),
        .. WithoutEffect(Draws(TimestepSamplingKind.Mode, WeightingScheme.Mode), "timesteps drawn by mode", nameof(ModeScale)),
    ];

    private bool Draws(TimestepSamplingKind kind, WeightingScheme scheme) =>
        TimestepSampling == kind || (TimestepSampling == TimestepSamplingKind.Scheme && WeightingScheme == scheme);
}
