using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Training;

/// <content>The optimizer that the configuration asks for.</content>
public sealed partial record DreamBoothConfig
{
    private const double LowForProdigy = 0.1;

    /// <summary>AdamW's settings that all models share.</summary>
    public AdamWConfig AdamW() => new() { Beta1 = AdamBeta1, Beta2 = AdamBeta2, Epsilon = AdamEpsilon };

    /// <summary>
    /// The optimizer's settings of each model. As in the reference, Prodigy takes the transformer's rate for the CLIP encoders too.
    /// </summary>
    /// <param name="adapter">The adapter that is trained.</param>
    public IReadOnlyList<ParameterGroup> OptimizerGroups(LoraAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        var textRate = Uses(Prodigy) ? ScaledLearningRate() : TextEncoderLr;
        var shapes = adapter.Layers.ToLookup(layer => layer.Component, layer => layer.Parts.Entries.Select(entry => entry.Shape));
        return [.. adapter.Segments.Select(segment => (segment.Component == "transformer"
            ? new ParameterGroup(segment.Offset, segment.Length, ScaledLearningRate(), AdamWeightDecay)
            : new ParameterGroup(segment.Offset, segment.Length, textRate, AdamWeightDecayTextEncoder)) with
        {
            Shapes = [.. shapes[segment.Component].SelectMany(layer => layer)],
        })];
    }

    /// <summary>The optimizer of a trainable adapter, which must outlive it.</summary>
    /// <param name="adapter">The adapter.</param>
    internal FlatOptimizer CreateOptimizer(LoraAdapter adapter)
    {
        var (parameters, gradients, groups) = (adapter.Parameters, adapter.Gradients!, OptimizerGroups(adapter));
        return OptimizerKey switch
        {
            Lion => new FlatLion(parameters, gradients, groups, LionParts()),
            Prodigy => new FlatProdigy(parameters, gradients, groups, ProdigyParts()),
            ScheduleFree => new FlatScheduleFree(parameters, gradients, groups, ScheduleFreeParts()),
            Adafactor => new FlatAdafactor(parameters, gradients, groups, AdafactorParts()),
            _ when Use8bitAdam => new FlatAdamW8Bit(parameters, gradients, groups, AdamW()),
            _ => new FlatAdamW(parameters, gradients, groups, AdamW()),
        };
    }

    /// <summary>What decides how much memory the optimizer takes.</summary>
    internal OptimizerMemory OptimizerMemory => new(OptimizerKey switch
    {
        Lion => OptimizerKind.Lion,
        Prodigy => OptimizerKind.Prodigy,
        ScheduleFree => OptimizerKind.ScheduleFree,
        Adafactor => OptimizerKind.Adafactor,
        _ => Use8bitAdam ? OptimizerKind.AdamW8Bit : OptimizerKind.AdamW,
    }, ProdigySliceP, UseEma);

    /// <summary>A rate that is usual with the optimizer, for advice.</summary>
    internal string UsualRate => OptimizerKey switch { Lion => "2e-5", Prodigy => "1", _ => "1e-4" };

    private string OptimizerKey => Optimizer.ToLowerInvariant();

    private bool Uses(string optimizer) => OptimizerKey == optimizer;

    private bool UsesAdamW => OptimizerKey is not (Lion or Prodigy or ScheduleFree or Adafactor);

    private LionConfig LionParts() => new() { Beta1 = LionBeta1, Beta2 = LionBeta2 };

    private ScheduleFreeConfig ScheduleFreeParts() => new() { Beta1 = AdamBeta1, Beta2 = AdamBeta2, Epsilon = AdamEpsilon };

    private ProdigyConfig ProdigyParts() => new()
    {
        Beta1 = AdamBeta1,
        Beta2 = AdamBeta2,
        Beta3 = ProdigyBeta3,
        Epsilon = AdamEpsilon,
        Decouple = ProdigyDecouple,
        UseBiasCorrection = ProdigyUseBiasCorrection,
        SafeguardWarmup = ProdigySafeguardWarmup,
        D0 = ProdigyD0,
        DCoef = ProdigyDCoef,
        GrowthRate = ProdigyGrowthRate ?? double.PositiveInfinity,
        SliceP = ProdigySliceP,
    };

    private AdafactorConfig AdafactorParts() => new()
    {
        RelativeStep = AdafactorRelativeStep,
        ScaleParameter = AdafactorScaleParameter,
        WarmupInit = AdafactorWarmupInit,
    };

    private void CheckOptimizer()
    {
        switch (OptimizerKey)
        {
            case Lion:
                LionParts().Validate();
                break;
            case Prodigy:
                ProdigyParts().Validate();
                break;
            case ScheduleFree:
                ScheduleFreeParts().Validate();
                break;
            case Adafactor:
                AdafactorParts().Validate();
                break;
            default:
                AdamW().Validate();
                break;
        }
    }

    private IEnumerable<string> OptimizerNotices()
    {
        if (Use8bitAdam && !UsesAdamW)
            yield return $"use_8bit_adam has no effect with optimizer {Optimizer}: it is for AdamW.";
        if (Uses(Prodigy) && ScaledLearningRate() <= LowForProdigy)
            yield return $"learning_rate is {ScaledLearningRate()}, which is low for optimizer prodigy; 1 is usual, since it finds its own "
                + "step size.";
        if (Uses(Prodigy) && TrainTextEncoder && TextEncoderLr != ScaledLearningRate())
            yield return $"text_encoder_lr has no effect with optimizer prodigy: the CLIP encoders too have learning_rate.";
        if (Uses(ScheduleFree)
            && LrScheduler is not (LearningRateScheduleKind.Constant or LearningRateScheduleKind.ConstantWithWarmup))
            yield return "lr_scheduler lets the rate fall, which optimizer adamw_schedulefree replaces by an average of the weights; "
                + "constant or constant_with_warmup is usual.";
        if (Uses(Adafactor) && AdafactorRelativeStep && LearningRate != Default<double>(nameof(LearningRate)))
            yield return "learning_rate has no effect with adafactor_relative_step.";
        foreach (var notice in WithoutEffect(
            !Uses(Lion) && !Uses(Adafactor), "optimizer AdamW, prodigy or adamw_schedulefree", nameof(AdamBeta1), nameof(AdamBeta2),
            nameof(AdamEpsilon)))
            yield return notice;
        var others = Flags.All.Where(flag => Owner(flag.Name) is { } owner && !Uses(owner)
            && !Equals(flag.Property.GetValue(this), flag.DefaultValue)).Select(flag => flag.Name).ToList();
        if (others.Count > 0)
            yield return $"{string.Join(", ", others)} {(others.Count == 1 ? "has" : "have")} no effect with optimizer {Optimizer}.";
    }

    private static string? Owner(string flag) => new[] { Lion, Prodigy, Adafactor }.FirstOrDefault(
        optimizer => flag.StartsWith(optimizer + "_", StringComparison.Ordinal));
}
