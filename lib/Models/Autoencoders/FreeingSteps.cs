using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Autoencoders;

/// <summary>
/// Steps that free everything but their result. At a picture's full size one tensor is hundreds of megabytes; freeing only at the end of a
/// dispose scope would hold several times what the widest place needs. Under autograd, what the backward pass needs stays with the graph.
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

    /// <summary>Runs layers one after another; what lies between them is freed, the input stays.</summary>
    /// <param name="layers">One or more.</param>
    /// <param name="input">What the first reads.</param>
    public static Tensor CallInTurn(this ModuleList<ResnetBlock2D> layers, Tensor input)
    {
        var hidden = layers[0].call(input);
        for (var i = 1; i < layers.Count; i++)
            hidden = layers[i].Consume(hidden);
        return hidden;
    }

    /// <summary>
    /// Runs a convolution, without its bias where that can be added later, and frees its input, which must be the caller's own.
    /// </summary>
    /// <param name="layer">The convolution.</param>
    /// <param name="input">What it reads; freed.</param>
    /// <returns>The result, and the bias that it lacks, or null.</returns>
    public static (Tensor Output, Tensor? Missing) ConsumeWithoutBias(this Layers.Conv2d layer, Tensor input)
    {
        var output = layer.WithoutBias(input);
        input.Dispose();
        return output;
    }
}
