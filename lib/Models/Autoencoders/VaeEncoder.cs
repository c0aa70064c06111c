using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Autoencoders;

/// <summary>Pictures to moments of the latents, <c>[B, 3, H, W] → [B, 2 C, H/f, W/f]</c> (means, then log variances).</summary>
public sealed class VaeEncoder : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "conv_in")]
    private readonly Layers.Conv2d _convIn;

    [ComponentName(Name = "down_blocks")]
    private readonly ModuleList<DownEncoderBlock2D> _downBlocks;

    [ComponentName(Name = "mid_block")]
    private readonly VaeMidBlock _midBlock;

    [ComponentName(Name = "conv_norm_out")]
    private readonly Layers.GroupNorm _convNormOut;

    [ComponentName(Name = "conv_out")]
    private readonly Layers.Conv2d _convOut;

    /// <summary>Declares the layers.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public VaeEncoder(AutoencoderKLConfig config, Device device, ScalarType dtype)
        : base(nameof(VaeEncoder))
    {
        ArgumentNullException.ThrowIfNull(config);
        var channels = config.BlockOutChannels;
        _convIn = new Layers.Conv2d(config.InChannels, channels[0], 3, 1, 1, device, dtype);
        _downBlocks = nn.ModuleList(Enumerable.Range(0, channels.Count)
            .Select(
                i => new DownEncoderBlock2D(
                    channels[Math.Max(i - 1, 0)], channels[i], config.LayersPerBlock, config.NormNumGroups, i < channels.Count - 1, device,
                    dtype)).ToArray());
        _midBlock = new VaeMidBlock(channels[^1], config.NormNumGroups, config.MidBlockAddAttention, device, dtype);
        _convNormOut = new Layers.GroupNorm(config.NormNumGroups, channels[^1], 1e-6, device, dtype);
        _convOut = new Layers.Conv2d(channels[^1], 2 * config.LatentChannels, 3, 1, 1, device, dtype);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var hidden = _convIn.call(Layers.FeatureMaps.Arrange(input, _convIn.Weight));
        foreach (var block in _downBlocks)
            hidden = block.Consume(hidden);
        hidden = _midBlock.Consume(hidden);
        return _convOut.Consume(_convNormOut.ConsumeActivated(hidden, missing: null)).contiguous().MoveToOuterDisposeScope();
    }
}
