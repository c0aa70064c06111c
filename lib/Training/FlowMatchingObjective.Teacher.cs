using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <content>
/// Preservation by the model as it was: for some prompts its prediction without the LoRA is the target of its prediction with it, on the
/// instance pictures, with their noise. Trainers call it prior prediction or differential output preservation; learning without forgetting
/// (Li and Hoiem 2016, arXiv:1606.09282) is its model.
/// </content>
public sealed partial class FlowMatchingObjective
{
    /// <summary>The LoRA without which the model is the teacher, and the loss's weight; null for no teacher.</summary>
    internal (LoraAdapter Adapter, double Weight)? Teacher { get; init; }

    /// <summary>
    /// The LoRA without which the model says what is held outside of masks, and that loss's weight; null for nothing. OneTrainer calls it
    /// masked prior preservation.
    /// </summary>
    internal (LoraAdapter Adapter, double Weight)? MaskedPrior { get; init; }

    // The prediction of the model as it was for the instance rows, with their own prompts.
    private Tensor PredictedOutside(TrainingBatch batch, (Tensor Latents, Tensor Timesteps, Tensor Sigmas) noisy)
    {
        var rows = batch.Outside!.shape[0];
        var adapter = (MaskedPrior ?? throw new InvalidOperationException("The batch has masks of what nothing is held of.")).Adapter;
        return PredictedByTeacher(
            adapter, () => Rows(batch.Text.Embeddings(), rows),
            (noisy.Latents.narrow(0, 0, rows), noisy.Timesteps.narrow(0, 0, rows), noisy.Sigmas.narrow(0, 0, rows)));
    }

    // The mean over what masks leave out.
    private (Tensor Loss, double Weight) Held(Tensor prediction, Tensor before, Tensor sigmas, Tensor outside)
    {
        var rows = outside.shape[0];
        return (RowLosses(prediction.narrow(0, 0, rows) - before, sigmas.narrow(0, 0, rows), outside).mean(), MaskedPrior!.Value.Weight);
    }

    private static PromptEmbeddings Rows(PromptEmbeddings text, long rows) => text.Rows <= rows
        ? text
        : new(text.PromptEmbeds.narrow(0, 0, rows), text.PooledPromptEmbeds.narrow(0, 0, rows));

    // The mean of squared differences for each prompt, summed over prompts.
    private (Tensor Loss, CheckpointedPass? Pass) Preserved(
        LoraAdapter adapter, TrainingText preserved, (Tensor Latents, Tensor Timesteps, Tensor Sigmas) noisy)
    {
        var text = preserved.Embeddings();
        var prompts = text.Rows / noisy.Latents.shape[0];
        if (prompts > 1)
            noisy = (noisy.Latents.repeat(prompts, 1, 1, 1), noisy.Timesteps.repeat(prompts), noisy.Sigmas.repeat(prompts, 1, 1, 1));
        var target = PredictedByTeacher(adapter, preserved.Embeddings, noisy);
        var (prediction, pass) = Predict(noisy, text);
        var loss = RowLosses(prediction - target, noisy.Sigmas).mean();
        return (prompts > 1 ? loss.mul(KeptScalar.Of(prompts)) : loss, pass);
    }

    // The text is encoded again: encoders that are trained have no LoRA here either.
    private Tensor PredictedByTeacher(
        LoraAdapter adapter, Func<PromptEmbeddings> text, (Tensor Latents, Tensor Timesteps, Tensor Sigmas) noisy)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var weight = adapter.Weight;
        adapter.Weight = 0;
        try
        {
            return Predict(noisy, text()).Prediction.MoveToOuterDisposeScope();
        }
        finally
        {
            adapter.Weight = weight;
        }
    }
}
