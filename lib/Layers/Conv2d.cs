using Dreambooth.Lab.Layers.Fused;
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
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <param name="bias">Whether there is a bias.</param>
    public Conv2d(
        long inChannels, long outChannels, long kernel, long stride, long padding, Device device, ScalarType dtype, bool bias = true)
        : base(nameof(Conv2d), [outChannels, inChannels, kernel, kernel], bias ? [outChannels] : null, device, dtype)
    {
        _stride = [stride, stride];
        _padding = [padding, padding];
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => Convolve(input, Bias);

    /// <summary>
    /// The convolution, on CUDA without its bias where the next step can add it: libtorch adds it in a separate pass over memory.
    /// </summary>
    /// <param name="input"><c>[B, in, H, W]</c>.</param>
    /// <returns>The result, and the bias that it lacks, <c>[out]</c>, or null.</returns>
    internal (Tensor Output, Tensor? Missing) WithoutBias(Tensor input) =>
        FeatureMapKernels.Fit(Weight.shape[0]) && FeatureMapKernels.For(input, Weight, Bias) is not null
            ? (Convolve(input, null), Bias)
            : (call(input), null);

    /// <summary>Lays the weight out <see cref="ChannelsLast"/>, as libtorch would in every call of its own on such a map.</summary>
    internal void Arrange()
    {
        if (!ChannelsLast.Is(Weight))
            Assign("weight", ChannelsLast.Of(Weight));
    }

    // Once after loading. A trained weight stays where its optimizer expects it.
    private Tensor Convolve(Tensor input, Tensor? bias)
    {
        if (input.device_type == TorchSharp.DeviceType.CUDA && !Weight.requires_grad && ChannelsLast.Is(input))
            Arrange();
        return nn.functional.conv2d(input, Weight, bias, _stride, _padding);
    }
}
