using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;
using static System.FormattableString;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>Explains a training step with infinite or NaN results: the step, the parameter group and the likely cause.</summary>
internal static class StepFault
{
    // LoRA weights are far below 1 in a sound training.
    private const float Grown = 100;
    private const double Unusual = 1000;

    /// <summary>A step whose gradient was finite and whose parameters are not.</summary>
    /// <param name="step">The step, from 1.</param>
    /// <param name="config">The training.</param>
    /// <param name="component">The model whose LoRA it is.</param>
    /// <param name="fault">What the optimizer says.</param>
    /// <param name="factor">The schedule's factor of the step.</param>
    /// <param name="where">The first tensor with such a parameter, by its name in the file; null where none is known.</param>
    public static NonFiniteException OfParameters(
        int step, DreamBoothConfig config, string component, OptimizerFault fault, double factor, string? where)
    {
        var isTransformer = component == "transformer";
        var (rateName, rate) = isTransformer ? ("learning_rate", config.ScaledLearningRate()) : ("text_encoder_lr", config.TextEncoderLr);
        var (decayName, decay) = isTransformer
            ? ("adam_weight_decay", config.AdamWeightDecay)
            : ("adam_weight_decay_text_encoder", config.AdamWeightDecayTextEncoder);
        var grown = Invariant($"{1 - (rate * factor * decay):0.##E+0}");
        var cause = fault switch
        {
            OptimizerFault.Epsilon => Invariant(
                $"adam_epsilon is {config.AdamEpsilon}, which is 0 in float32, and divides what has no gradient. Raise it; 1e-8 is usual"),
            OptimizerFault.WeightDecay => Invariant(
                $"{decayName} is {decay}: at the rate {rate * factor} each step multiplies weights by {grown}. Lower it; 1e-4 is usual"),
            OptimizerFault.SquaredGradient => Invariant(
                $"max_grad_norm is {config.MaxGradNorm} and lets gradients through whose squares are beyond float32. Lower it; 1 is usual"),
            _ => Invariant(
                $"{rateName} is {rate}, {rate * factor} in this step, and moves the weights beyond float32. Lower it; ")
                + $"{config.UsualRate} is usual",
        };
        return new NonFiniteException($"Step {step} leaves the LoRA of {component} not finite{First(where)} and is taken back: {cause}.");
    }

    /// <summary>A step whose loss or gradient is not finite.</summary>
    /// <param name="step">The step, from 1.</param>
    /// <param name="figures">What is known of it: the loss and the gradient's norm.</param>
    /// <param name="config">The training.</param>
    /// <param name="adapter">The LoRA as it was before the step.</param>
    /// <param name="transformer">The model.</param>
    /// <param name="batches">What the step saw.</param>
    /// <param name="where">The first tensor whose gradient is not finite though the loss is; null where none is known.</param>
    public static NonFiniteException OfLoss(
        int step, (float Loss, float Norm) figures, DreamBoothConfig config, LoraAdapter adapter, nn.Module transformer,
        IEnumerable<TrainingBatch> batches, string? where)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        float Largest(LoraSegment segment) =>
            FiniteCheck.Largest(adapter.Parameters.narrow(0, segment.Offset, segment.Length)).item<float>();
        var largest = adapter.Segments.Select(segment => (segment.Component, Value: Largest(segment))).MaxBy(segment => segment.Value);
        var rate = RateOf(largest.Component, config);
        var weights = Invariant($"{largest.Value:0.#e+0}");
        var cause = FiniteCheck.Faults(transformer).FirstOrDefault() is { } weight
            ? $"the model is damaged: {weight} of its transformer is not finite"
            : FaultOf(batches) is { } data
            ? data
            : Excess(config) is { } excess
            ? excess
            : largest.Value >= Grown
            ? $"the LoRA of {largest.Component} has grown to weights of {weights}. Lower {rate}, or raise lr_warmup_steps"
            : config.MixedPrecision == MixedPrecision.Fp16
            ? "float16 holds no more than 65504. Train with mixed_precision bf16 or no"
            : $"unknown; model, pictures and text are finite, the LoRA's weights at most {weights}. Lower {rate}, or look at its pictures";
        return new NonFiniteException(
            Invariant($"Step {step}: the loss is {figures.Loss} and the gradient norm {figures.Norm}{First(where)}; it is not taken. ")
            + $"Likely cause: {cause}.");
    }

    private static string First(string? where) => where is null ? string.Empty : $" (first: {where})";

    private static string? Excess(DreamBoothConfig config)
    {
        if ((config.WithPriorPreservation || config.BlankPromptPreservation) && config.PriorLossWeight >= Unusual)
            return Invariant($"prior_loss_weight is {config.PriorLossWeight}. Lower it; up to 1 is usual");
        if (config.MaskedPriorWeight >= Unusual)
            return Invariant($"masked_prior_weight is {config.MaskedPriorWeight}. Lower it; up to 1 is usual");
        return config.LoraAlpha is { } alpha && alpha / config.Rank >= Unusual
            ? Invariant(
                $"lora_alpha is {alpha}, by which the LoRA counts {alpha / config.Rank} times. Lower it; the rank ({config.Rank}) is usual")
            : null;
    }

    private static string? FaultOf(IEnumerable<TrainingBatch> batches)
    {
        foreach (var batch in batches)
        {
            using var scope = NewDisposeScope();
            if (!FiniteCheck.IsFinite(batch.Latents))
                return "the latents of its pictures are not finite, so the autoencoder or what it reads is damaged";
            foreach (var text in new[] { batch.Text, batch.Preserved }.OfType<TrainingText>().Select(given => given.Embeddings()))
            {
                if (!FiniteCheck.IsFinite(text.PromptEmbeds) || !FiniteCheck.IsFinite(text.PooledPromptEmbeds))
                    return "the embeddings of its text are not finite, so a text encoder or its LoRA is damaged";
            }
        }

        return null;
    }

    private static string RateOf(string component, DreamBoothConfig config) => component == "transformer"
        ? Invariant($"learning_rate (now {config.ScaledLearningRate()})")
        : Invariant($"text_encoder_lr (now {config.TextEncoderLr})");
}
