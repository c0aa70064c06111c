using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Autoencoders;

/// <summary>The lowest resolution: residual block, attention, residual block; <c>[B, C, H, W] → [B, C, H, W]</c>.</summary>
public sealed class VaeMidBlock : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "attentions")]
    private readonly ModuleList<VaeAttention>? _attentions;

    [ComponentName(Name = "resnets")]
    private readonly ModuleList<ResnetBlock2D> _resnets;

    /// <summary>Declares the layers.</summary>
    /// <param name="channels">C.</param>
    /// <param name="groups">Groups of the normalisations.</param>
    /// <param name="attention">Whether there is attention.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public VaeMidBlock(long channels, long groups, bool attention, Device device, ScalarType dtype)
        : base(nameof(VaeMidBlock))
    {
        _attentions = attention ? nn.ModuleList(new VaeAttention(channels, groups, device, dtype)) : null;
        _resnets = nn.ModuleList(
            new ResnetBlock2D(channels, channels, groups, device, dtype), new ResnetBlock2D(channels, channels, groups, device, dtype));
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var hidden = _resnets[0].call(input);
        if (_attentions is not null)
            hidden = _attentions[0].Consume(hidden);
        return _resnets[1].Consume(hidden).MoveToOuterDisposeScope();
    }
}
