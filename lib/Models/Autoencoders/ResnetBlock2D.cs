using Dreambooth.Lab.Layers;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Autoencoders;

/// <summary>Two normalised 3×3 convolutions with a residual connection, <c>[B, in, H, W] → [B, out, H, W]</c>.</summary>
public sealed class ResnetBlock2D : nn.Module<Tensor, Tensor>
{
    /// <summary>Declares the layers.</summary>
    /// <param name="inChannels">Channels of the input.</param>
    /// <param name="outChannels">Channels of the output; a 1×1 convolution joins the residual where they differ.</param>
    /// <param name="groups">Groups of the normalisations.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public ResnetBlock2D(long inChannels, long outChannels, long groups, Device device, ScalarType dtype)
        : base(nameof(ResnetBlock2D))
    {
        Norm1 = new GroupNorm(groups, inChannels, 1e-6, device, dtype);
        Conv1 = new Conv2d(inChannels, outChannels, 3, 1, 1, device, dtype);
        Norm2 = new GroupNorm(groups, outChannels, 1e-6, device, dtype);
        Conv2 = new Conv2d(outChannels, outChannels, 3, 1, 1, device, dtype);
        ConvShortcut = inChannels == outChannels ? null : new Conv2d(inChannels, outChannels, 1, 1, 0, device, dtype);
        RegisterComponents();
    }

    /// <summary>Blocks of one resolution, of which the first changes the channels.</summary>
    internal static TorchSharp.Modules.ModuleList<ResnetBlock2D> Several(
        int count, long inChannels, long outChannels, long groups, Device device, ScalarType dtype) =>
        nn.ModuleList(Enumerable.Range(0, count)
            .Select(i => new ResnetBlock2D(i == 0 ? inChannels : outChannels, outChannels, groups, device, dtype)).ToArray());

    /// <summary>Normalisation of the input.</summary>
    [field: ComponentName(Name = "norm1")]
    public GroupNorm Norm1 { get; }

    /// <summary>First convolution.</summary>
    [field: ComponentName(Name = "conv1")]
    public Conv2d Conv1 { get; }

    /// <summary>Normalisation between the convolutions.</summary>
    [field: ComponentName(Name = "norm2")]
    public GroupNorm Norm2 { get; }

    /// <summary>Second convolution.</summary>
    [field: ComponentName(Name = "conv2")]
    public Conv2d Conv2 { get; }

    /// <summary>Joins the residual where the channels differ, or null.</summary>
    [field: ComponentName(Name = "conv_shortcut")]
    public Conv2d? ConvShortcut { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var (first, missing) = Conv1.ConsumeWithoutBias(Norm1.Activated(input));
        var (hidden, missingOfHidden) = Conv2.ConsumeWithoutBias(Norm2.ConsumeActivated(first, missing));
        var (residual, missingOfResidual) = ConvShortcut?.WithoutBias(input) ?? (input, null);
        return FeatureMaps.Join(hidden, residual, (missingOfHidden, missingOfResidual)).MoveToOuterDisposeScope();
    }
}
