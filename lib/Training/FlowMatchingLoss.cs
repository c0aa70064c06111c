using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>The losses of one micro-batch, as scalars with gradients.</summary>
/// <param name="Total">What is minimised: instance + prior weight × prior.</param>
/// <param name="Instance">Loss of the instance pictures.</param>
/// <param name="Prior">Loss of the class pictures, or null without prior preservation.</param>
/// <param name="Pass">The transformer's pass where it computes its blocks again, or null for a plain one.</param>
public sealed record FlowMatchingLoss(Tensor Total, Tensor Instance, Tensor? Prior, CheckpointedPass? Pass = null)
{
    /// <summary>Adds the gradients of a part of the total to what is trained; once.</summary>
    /// <param name="parts">How many micro-batches share an optimizer step.</param>
    public void Backward(int parts)
    {
        using (var part = Total.div(KeptScalar.Of(parts)))
            GradientNode.Backward(() => part.backward());
        Pass?.Backward();
    }
}
