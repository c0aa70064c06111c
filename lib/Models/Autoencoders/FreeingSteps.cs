using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Autoencoders;

/// <summary>
/// Steps that leave nothing behind but their result. At a picture's full size one tensor is hundreds of megabytes, so that waiting for the end
/// of a dispose scope would hold several times what the widest place needs. Under autograd, what the backward pass needs stays with the graph.
/// </summary>
internal static class FreeingSteps
{
    /// <summary>Runs a layer and frees its input, which must be the caller's own.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="input">What it reads; freed.</param>
    public static Tensor Consume(this nn.Module<Tensor, Tensor> layer, Tensor input)
    {
        var output = layer.call(input);
        input.Dispose();
        return output;
    }

    /// <summary>Normalises and applies SiLU, in the normalised tensor's own memory where no gradient needs it as it was.</summary>
    /// <param name="norm">The normalisation.</param>
    /// <param name="input">What it reads; stays.</param>
    public static Tensor Activated(this Layers.GroupNorm norm, Tensor input)
    {
        var normalised = norm.call(input);
        if (!normalised.requires_grad)
            return normalised.silu_();
        var active = nn.functional.silu(normalised);
        normalised.Dispose();
        return active;
    }
}
