using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Schedulers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <content>What the trainer's parts take from the configuration.</content>
public sealed partial record DreamBoothConfig
{
    /// <summary>How timesteps are drawn.</summary>
    public TimestepDensity TimestepDensity() =>
        new() { Scheme = WeightingScheme, LogitMean = LogitMean, LogitStd = LogitStd, ModeScale = ModeScale };

    /// <summary>How the learning rate moves.</summary>
    /// <param name="steps">Optimiser steps of the run.</param>
    public LearningRateSchedule LearningRateSchedule(int steps) =>
        new() { Kind = LrScheduler, WarmupSteps = LrWarmupSteps, TrainingSteps = steps, NumCycles = LrNumCycles, Power = LrPower };

    /// <summary>
    /// The transformer's learning rate after the warm-up: <see cref="LearningRate"/>, with <see cref="ScaleLr"/> times accumulation
    /// steps and batch size (one process). As in the reference, the CLIP encoders' rate is never scaled.
    /// </summary>
    public double ScaledLearningRate() => ScaleLr ? LearningRate * GradientAccumulationSteps * TrainBatchSize : LearningRate;

    /// <summary>The optimiser's settings that all models share.</summary>
    public AdamWConfig AdamW() => new() { Beta1 = AdamBeta1, Beta2 = AdamBeta2, Epsilon = AdamEpsilon };

    /// <summary>The optimiser's settings of each model.</summary>
    /// <param name="adapter">The adapter that is trained.</param>
    public IReadOnlyList<AdamWGroup> AdamWGroups(LoraAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        return [.. adapter.Segments.Select(segment => segment.Component == "transformer"
            ? new AdamWGroup(segment.Offset, segment.Length, ScaledLearningRate(), AdamWeightDecay)
            : new AdamWGroup(segment.Offset, segment.Length, TextEncoderLr, AdamWeightDecayTextEncoder))];
    }

    /// <summary>The transformer's LoRA.</summary>
    public LoraConfig TransformerLora() =>
        new() { Rank = Rank, LoraAlpha = LoraAlpha, TargetModules = LoraLayerNames ?? LoraConfig.TransformerTargets, Blocks = LoraBlockNumbers };

    /// <summary>Element type of the frozen transformer and text encoders.</summary>
    public ScalarType ComputeDtype() => MixedPrecision switch
    {
        MixedPrecision.Bf16 => ScalarType.BFloat16,
        MixedPrecision.Fp16 => ScalarType.Float16,
        _ => ScalarType.Float32,
    };

    /// <summary>The CLIP encoders' LoRA.</summary>
    public LoraConfig TextEncoderLora() => new() { Rank = Rank, LoraAlpha = LoraAlpha, TargetModules = LoraConfig.TextEncoderTargets };
}
