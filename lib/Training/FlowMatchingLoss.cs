using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>The losses of one micro-batch, as scalars with gradients.</summary>
/// <param name="Total">What is minimised: instance + prior weight × prior.</param>
/// <param name="Instance">Loss of the instance pictures.</param>
/// <param name="Prior">Loss of the class pictures, of the teacher's prompts, or of both; null without prior preservation.</param>
/// <param name="Pass">The transformer's pass where it computes its blocks again, or null for a plain one.</param>
public sealed record FlowMatchingLoss(Tensor Total, Tensor Instance, Tensor? Prior, CheckpointedPass? Pass = null)
{
    /// <summary>The same of the prompts whose prediction is kept; null for none, or a plain pass.</summary>
    internal CheckpointedPass? PreservedPass { get; init; }

    /// <summary>Adds the gradients of a part of the total to what is trained; once.</summary>
    /// <param name="parts">How many micro-batches share an optimizer step.</param>
    public void Backward(int parts) => BackwardScaled(parts, null);

    /// <summary>The same with gradients that are multiplied by a factor.</summary>
    /// <param name="parts">How many micro-batches share an optimizer step.</param>
    /// <param name="scale">The factor, a tensor of rank 0; null for 1.</param>
    internal void BackwardScaled(int parts, Tensor? scale)
    {
        using (var part = Total.div(KeptScalar.Of(parts)))
        using (var scaled = scale is null ? null : part.mul(scale))
            GradientNode.Backward(() => (scaled ?? part).backward());
        Pass?.Backward();
        PreservedPass?.Backward();
    }
}
