using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Autoencoders;

/// <summary>Latents to pictures, <c>[B, C, h, w] → [B, 3, f h, f w]</c>.</summary>
public sealed class VaeDecoder : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "conv_in")]
    private readonly Layers.Conv2d _convIn;

    [ComponentName(Name = "mid_block")]
    private readonly VaeMidBlock _midBlock;

    [ComponentName(Name = "up_blocks")]
    private readonly ModuleList<UpDecoderBlock2D> _upBlocks;

    [ComponentName(Name = "conv_norm_out")]
    private readonly Layers.GroupNorm _convNormOut;

    [ComponentName(Name = "conv_out")]
    private readonly Layers.Conv2d _convOut;

    /// <summary>Declares the layers.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public VaeDecoder(AutoencoderKLConfig config, Device device, ScalarType dtype)
        : base(nameof(VaeDecoder))
    {
        ArgumentNullException.ThrowIfNull(config);
        var channels = config.BlockOutChannels.Reverse().ToArray();
        _convIn = new Layers.Conv2d(config.LatentChannels, channels[0], 3, 1, 1, device, dtype);
        _midBlock = new VaeMidBlock(channels[0], config.NormNumGroups, config.MidBlockAddAttention, device, dtype);
        _upBlocks = nn.ModuleList(Enumerable.Range(0, channels.Length)
            .Select(
                i => new UpDecoderBlock2D(
                    channels[Math.Max(i - 1, 0)], channels[i], config.LayersPerBlock + 1, config.NormNumGroups, i < channels.Length - 1,
                    device, dtype)).ToArray());
        _convNormOut = new Layers.GroupNorm(config.NormNumGroups, channels[^1], 1e-6, device, dtype);
        _convOut = new Layers.Conv2d(channels[^1], config.OutChannels, 3, 1, 1, device, dtype);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var hidden = _midBlock.Consume(_convIn.call(Layers.FeatureMaps.Arrange(input, _convIn.Weight)));
        foreach (var block in _upBlocks)
            hidden = block.Consume(hidden);
        return _convOut.Consume(_convNormOut.ConsumeActivated(hidden, missing: null)).contiguous().MoveToOuterDisposeScope();
    }
}
