using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Autoencoders;

/// <summary>One resolution of the decoder: residual blocks, then nearest-neighbour doubling and a convolution.</summary>
public sealed class UpDecoderBlock2D : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "resnets")]
    private readonly ModuleList<ResnetBlock2D> _resnets;

    [ComponentName(Name = "upsamplers")]
    private readonly ModuleList<ModuleDict<Layers.Conv2d>>? _upsamplers;

    /// <summary>Declares the layers.</summary>
    /// <param name="inChannels">Channels of the input.</param>
    /// <param name="outChannels">Channels of the output.</param>
    /// <param name="layers">Number of residual blocks.</param>
    /// <param name="groups">Groups of the normalisations.</param>
    /// <param name="upsample">Whether the sides are doubled.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public UpDecoderBlock2D(long inChannels, long outChannels, int layers, long groups, bool upsample, Device device, ScalarType dtype)
        : base(nameof(UpDecoderBlock2D))
    {
        _resnets = ResnetBlock2D.Several(layers, inChannels, outChannels, groups, device, dtype);
        _upsamplers = upsample
            ? nn.ModuleList(nn.ModuleDict(("conv", new Layers.Conv2d(outChannels, outChannels, 3, 1, 1, device, dtype))))
            : null;
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var hidden = _resnets.CallInTurn(input);
        if (_upsamplers is null)
            return hidden.MoveToOuterDisposeScope();
        var doubled = Layers.FeatureMaps.Enlarge(hidden);
        hidden.Dispose();
        return _upsamplers[0]["conv"].Consume(doubled).MoveToOuterDisposeScope();
    }
}
