using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// Root-mean-square normalisation over the last dimension (Zhang and Sennrich 2019, arXiv:1910.07467) with a learned
/// weight, <c>[..., width] → [..., width]</c>. The mean square is taken in float32 whatever the input's element type.
/// </summary>
public sealed class RMSNorm : WeightedLayer
{
    /// <summary>Declares the layer.</summary>
    /// <param name="width">Size of the last dimension.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="device">Where the weight lives.</param>
    /// <param name="dtype">Element type of the weight.</param>
    public RMSNorm(long width, double epsilon, Device device, ScalarType dtype)
        : base(nameof(RMSNorm), [width], null, device, dtype) => Epsilon = epsilon;

    /// <summary>Added to the mean square.</summary>
    public double Epsilon { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        var normalised = CompiledFunctions.RmsNorm(input, Weight, Epsilon);
        if (normalised.dtype == Weight.dtype)
            return normalised;
        using (normalised)
            return normalised.to(Weight.dtype);
    }
}
