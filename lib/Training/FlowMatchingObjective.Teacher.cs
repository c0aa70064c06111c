using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Peft;
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

    // The mean of squared differences for each prompt, summed over prompts.
    private (Tensor Loss, CheckpointedPass? Pass) Preserved(
        LoraAdapter adapter, TrainingText preserved, (Tensor Latents, Tensor Timesteps, Tensor Sigmas) noisy)
    {
        var text = preserved.Embeddings();
        var prompts = text.Rows / noisy.Latents.shape[0];
        if (prompts > 1)
            noisy = (noisy.Latents.repeat(prompts, 1, 1, 1), noisy.Timesteps.repeat(prompts), noisy.Sigmas.repeat(prompts, 1, 1, 1));
        var target = PredictedByTeacher(adapter, preserved, noisy);
        var (prediction, pass) = Predict(noisy, text);
        var loss = RowLosses(prediction - target, noisy.Sigmas).mean();
        return (prompts > 1 ? loss.mul(KeptScalar.Of(prompts)) : loss, pass);
    }

    // The text is encoded again: encoders that are trained have no LoRA here either.
    private Tensor PredictedByTeacher(
        LoraAdapter adapter, TrainingText preserved, (Tensor Latents, Tensor Timesteps, Tensor Sigmas) noisy)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var weight = adapter.Weight;
        adapter.Weight = 0;
        try
        {
            return Predict(noisy, preserved.Embeddings()).Prediction.MoveToOuterDisposeScope();
        }
        finally
        {
            adapter.Weight = weight;
        }
    }
}
