using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Autoencoders;

/// <summary>One resolution of the encoder: residual blocks, then a strided convolution that halves the sides.</summary>
public sealed class DownEncoderBlock2D : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "resnets")]
    private readonly ModuleList<ResnetBlock2D> _resnets;

    [ComponentName(Name = "downsamplers")]
    private readonly ModuleList<ModuleDict<Layers.Conv2d>>? _downsamplers;

    /// <summary>Declares the layers.</summary>
    /// <param name="inChannels">Channels of the input.</param>
    /// <param name="outChannels">Channels of the output.</param>
    /// <param name="layers">Number of residual blocks.</param>
    /// <param name="groups">Groups of the normalisations.</param>
    /// <param name="downsample">Whether the sides are halved.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public DownEncoderBlock2D(long inChannels, long outChannels, int layers, long groups, bool downsample, Device device, ScalarType dtype)
        : base(nameof(DownEncoderBlock2D))
    {
        _resnets = ResnetBlock2D.Several(layers, inChannels, outChannels, groups, device, dtype);
        _downsamplers = downsample
            ? nn.ModuleList(nn.ModuleDict(("conv", new Layers.Conv2d(outChannels, outChannels, 3, 2, 0, device, dtype))))
            : null;
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var hidden = _resnets.CallInTurn(input);
        if (_downsamplers is null)
            return hidden.MoveToOuterDisposeScope();

        // The strided convolution sees one row and one column of zeros at the far sides only.
        var padded = nn.functional.pad(hidden, [0, 1, 0, 1]);
        hidden.Dispose();
        return _downsamplers[0]["conv"].Consume(padded).MoveToOuterDisposeScope();
    }
}
