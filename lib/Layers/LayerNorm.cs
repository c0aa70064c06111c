using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>Layer normalisation over the last dimension with a learned weight and bias, <c>[..., width] → [..., width]</c>.</summary>
public sealed class LayerNorm : WeightedLayer
{
    private readonly double _epsilon;

    /// <summary>Declares the layer.</summary>
    /// <param name="width">Size of the last dimension.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public LayerNorm(long width, double epsilon, Device device, ScalarType dtype)
        : base(nameof(LayerNorm), [width], [width], device, dtype) => _epsilon = epsilon;

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => nn.functional.layer_norm(input, [Weight.shape[0]], Weight, Bias, _epsilon);
}
