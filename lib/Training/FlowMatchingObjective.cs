using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// The flow-matching loss of Stable Diffusion 3 (Esser et al. 2024, arXiv:2403.03206) as diffusers'
/// <c>train_dreambooth_lora_sd3.py</c> (commit 58eb52c) computes it. Letters: B rows, C latent channels, h and w of the
/// latents.
/// </summary>
public sealed partial class FlowMatchingObjective : IDisposable
{
    private readonly SD3Transformer2DModel _transformer;
    private readonly Tensor _timesteps;
    private readonly Tensor _sigmas;
    private readonly ScalarType _dtype;

    /// <summary>Creates the objective.</summary>
    /// <param name="transformer">Predicts the flow.</param>
    /// <param name="scheduler">Gives the training table.</param>
    public FlowMatchingObjective(SD3Transformer2DModel transformer, FlowMatchEulerDiscreteSchedulerConfig scheduler)
    {
        ArgumentNullException.ThrowIfNull(transformer);
        _transformer = transformer;
        _dtype = transformer.ProjOut.Weight.dtype;
        var (timesteps, sigmas) = new FlowMatchEulerDiscreteScheduler(scheduler).TrainTables(transformer.ProjOut.Weight.device);
        _timesteps = timesteps.DetachFromDisposeScope();
        _sigmas = sigmas.DetachFromDisposeScope();
    }

    /// <summary>How a row's loss is weighted by its noise level.</summary>
    public WeightingScheme WeightingScheme { get; init; } = WeightingScheme.LogitNormal;

    /// <summary>Whether the loss compares clean latents instead of flows (Karras et al. 2022, arXiv:2206.00364, section 5).</summary>
    public bool PreconditionOutputs { get; init; } = true;

    /// <summary>Weight of the class pictures' loss; null when the batch holds instance rows only.</summary>
    public double? PriorLossWeight { get; init; }

    /// <summary>The loss of single elements; default their square.</summary>
    internal ElementLoss ElementLoss { get; init; } = new();

    /// <summary>Whether the transformer's blocks are computed again in the backward pass instead of kept.</summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>
    /// Computes the losses of a micro-batch; <see cref="FlowMatchingLoss.Backward"/> lets gradients flow to whatever requires them.
    /// </summary>
    /// <param name="batch">Clean latents and text.</param>
    /// <param name="draw">Noise and timesteps.</param>
    public FlowMatchingLoss Compute(TrainingBatch batch, TrainingDraw draw)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(draw);
        using var scope = NewDisposeScope();
        Tensor latents = batch.Latents, noise = draw.Noise.to(latents.device);
        var (timesteps, sigmas) = Levels(draw.Indices.to(latents.device));
        var noisy = Mix(latents, noise, sigmas);
        // Before the prediction, whose memory then does not lie beside it.
        var before = batch.Outside is null ? null : PredictedOutside(batch, (noisy, timesteps, sigmas));

        var (prediction, pass) = Predict((noisy, timesteps, sigmas), batch.Text.Embeddings());
        pass?.MoveToOuterDisposeScope();
        var losses = RowLosses(prediction - (PreconditionOutputs ? latents : noise - latents), sigmas, batch.Mask);
        var halves = PriorLossWeight is null ? [losses] : losses.chunk(2);
        Tensor instance = Mean(halves[0], batch.Weights), total = instance;
        Tensor? prior = null;
        if (PriorLossWeight is { } priorWeight)
        {
            prior = halves[1].mean();
            total = instance.add(prior.mul(KeptScalar.Of(priorWeight)), KeptScalar.One);
        }

        CheckpointedPass? preservedPass = null;
        if (Teacher is { } teacher)
        {
            var text = batch.Preserved ?? throw new InvalidOperationException("The batch has no text for which the teacher is asked.");
            var rows = halves[0].shape[0];
            (var preserved, preservedPass) = Preserved(
                teacher.Adapter, text, (noisy.narrow(0, 0, rows), timesteps.narrow(0, 0, rows), sigmas.narrow(0, 0, rows)));
            preservedPass?.MoveToOuterDisposeScope();
            prior = prior is null ? preserved : prior.add(preserved, KeptScalar.One);
            total = total.add(preserved.mul(KeptScalar.Of(teacher.Weight)), KeptScalar.One);
        }

        if (before is not null)
        {
            var (held, weight) = Held(prediction, before, sigmas, batch.Outside!);
            prior = prior is null ? held : prior.add(held, KeptScalar.One);
            total = total.add(held.mul(KeptScalar.Of(weight)), KeptScalar.One);
        }

        instance.MoveToOuterDisposeScope();
        if (prior is not null)
            (_, _) = (total.MoveToOuterDisposeScope(), prior.MoveToOuterDisposeScope());
        return new(total, instance, prior, pass) { PreservedPass = preservedPass };
    }

    // What is compared with clean latents, or with the flow; [B, C, h, w].
    private (Tensor Prediction, CheckpointedPass? Pass) Predict(
        (Tensor Latents, Tensor Timesteps, Tensor Sigmas) noisy, PromptEmbeddings text)
    {
        var latents = noisy.Latents.to(_dtype);
        var pass = GradientCheckpointing && is_grad_enabled()
            ? new CheckpointedPass(_transformer, latents, noisy.Timesteps, text.PromptEmbeds, text.PooledPromptEmbeds)
            : null;
        var output = pass?.Output ?? _transformer.forward(latents, noisy.Timesteps, text.PromptEmbeds, text.PooledPromptEmbeds);
        var flow = output.to(ScalarType.Float32);
        return (PreconditionOutputs ? (flow * -noisy.Sigmas).add(noisy.Latents, KeptScalar.One) : flow, pass);
    }

    private Tensor RowLosses(Tensor error, Tensor sigmas, Tensor? mask = null)
    {
        var elements = LossWeighting.For(WeightingScheme, sigmas) * ElementLoss.Of(error, sigmas);
        return (mask is null ? elements : elements * mask).flatten(1).mean([1]);
    }

    // What the transformer is told, and σ as [B, 1, 1, 1].
    private (Tensor Timesteps, Tensor Sigmas) Levels(Tensor places)
    {
        var isOfTable = places.dtype == ScalarType.Int64;
        var sigmas = isOfTable ? _sigmas.index_select(0, places) : places;
        var timesteps = isOfTable ? _timesteps.index_select(0, places) : places.mul(KeptScalar.Of(_timesteps.numel()));
        return (timesteps, sigmas.view(-1, 1, 1, 1));
    }

    /// <summary>Latents on the straight way to noise: <c>(1 − σ) x + σ ε</c>.</summary>
    internal static Tensor Mix(Tensor latents, Tensor noise, Tensor sigmas) =>
        (sigmas.neg().add(KeptScalar.One, KeptScalar.One) * latents).add(sigmas * noise, KeptScalar.One);

    private static Tensor Mean(Tensor losses, Tensor? weights) => weights is null ? losses.mean() : (losses * weights).mean();

    /// <summary>Frees the training table.</summary>
    public void Dispose()
    {
        _timesteps.Dispose();
        _sigmas.Dispose();
    }
}
