using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>A two-dimensional convolution, <c>[B, in, H, W] → [B, out, H', W']</c>.</summary>
public sealed class Conv2d : WeightedLayer
{
    private readonly long[] _stride;
    private readonly long[] _padding;

    /// <summary>Declares the layer.</summary>
    /// <param name="inChannels">Channels of the input.</param>
    /// <param name="outChannels">Channels of the output.</param>
    /// <param name="kernel">Side of the square kernel.</param>
    /// <param name="stride">Step in both directions.</param>
    /// <param name="padding">Zeros added on each side.</param>
    /// <param name="device">Where the parameters live.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <param name="bias">Whether there is a bias.</param>
    public Conv2d(long inChannels, long outChannels, long kernel, long stride, long padding, Device device, ScalarType dtype, bool bias = true)
        : base(nameof(Conv2d), [outChannels, inChannels, kernel, kernel], bias ? [outChannels] : null, device, dtype)
    {
        _stride = [stride, stride];
        _padding = [padding, padding];
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => nn.functional.conv2d(input, Weight, Bias, _stride, _padding);
}
