using Dreambooth.Lab.Layers.Fused;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>A linear layer, <c>[..., in] → [..., out]</c>, that can carry LoRA updates.</summary>
public sealed class LoraLinear : AdaptedLayer
{
    /// <summary>Declares the layer; see <see cref="WeightedLayer"/> for how it gets its values.</summary>
    /// <param name="inFeatures">Width of the input.</param>
    /// <param name="outFeatures">Width of the output.</param>
    /// <param name="bias">Whether there is a bias.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public LoraLinear(long inFeatures, long outFeatures, bool bias, Device device, ScalarType dtype)
        : base(nameof(LoraLinear), [outFeatures, inFeatures], bias, device, dtype)
    {
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => Run(input, this)[0];

    /// <summary>Several layers of one input, fused where their updates are trained (<see cref="LoraProjection"/>).</summary>
    /// <param name="input"><c>[..., in]</c>.</param>
    /// <param name="layers">The layers.</param>
    /// <returns>An output <c>[..., out]</c> of each.</returns>
    internal static Tensor[] Run(Tensor input, params LoraLinear[] layers) =>
        LoraProjection.Trained(input, layers) ?? Array.ConvertAll(layers, layer => layer.Plain(input));

    /// <summary><c>W x + b + s · B (A x)</c>, with a term <c>s · B (A x)</c>, or what its variant has for it, for each update.</summary>
    /// <param name="input"><c>[..., in]</c>.</param>
    /// <returns><c>[..., out]</c>.</returns>
    internal Tensor Plain(Tensor input)
    {
        using var scope = NewDisposeScope();
        // A bias takes part in the product of rows; with more dimensions libtorch adds it in a pass of its own.
        var output = Rows(input.reshape(-1, InFeatures));
        return output.view([.. input.shape[..^1], OutFeatures]).MoveToOuterDisposeScope();
    }
}
