using System.Text.Json.Serialization;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Models.Autoencoders;

/// <summary>The configuration of <see cref="AutoencoderKL"/>, with the names of the published <c>vae/config.json</c>.</summary>
public sealed record AutoencoderKLConfig
{
    private const int MostBlocks = 8;

    /// <summary>Channels of the pictures.</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Channels of decoded pictures.</summary>
    public int OutChannels { get; init; } = 3;

    /// <summary>Kinds of the encoder's blocks; only <c>DownEncoderBlock2D</c> exists here.</summary>
    public IReadOnlyList<string> DownBlockTypes { get; init; } = ["DownEncoderBlock2D"];

    /// <summary>Kinds of the decoder's blocks; only <c>UpDecoderBlock2D</c> exists here.</summary>
    public IReadOnlyList<string> UpBlockTypes { get; init; } = ["UpDecoderBlock2D"];

    /// <summary>Channels of each resolution, from full to lowest.</summary>
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [64];

    /// <summary>Residual blocks per resolution in the encoder; the decoder has one more.</summary>
    public int LayersPerBlock { get; init; } = 1;

    /// <summary>Activation; only <c>silu</c> exists here.</summary>
    public string ActFn { get; init; } = "silu";

    /// <summary>Channels of the latents.</summary>
    public int LatentChannels { get; init; } = 4;

    /// <summary>Groups of every group normalisation.</summary>
    public int NormNumGroups { get; init; } = 32;

    /// <summary>Side of the pictures that the model was made for, in pixels; the size of a tile when tiling.</summary>
    public int SampleSize { get; init; } = 32;

    /// <summary>Latents are multiplied by this after the shift.</summary>
    public double ScalingFactor { get; init; } = 0.18215;

    /// <summary>Subtracted from latents before scaling.</summary>
    public double? ShiftFactor { get; init; }

    /// <summary>Whether a 1×1 convolution follows the encoder.</summary>
    public bool UseQuantConv { get; init; } = true;

    /// <summary>Whether a 1×1 convolution precedes the decoder.</summary>
    public bool UsePostQuantConv { get; init; } = true;

    /// <summary>Whether the middle block has attention.</summary>
    public bool MidBlockAddAttention { get; init; } = true;

    /// <summary>How many times smaller latents are than pictures, per side.</summary>
    [JsonIgnore]
    public int SpatialFactor => 1 << (BlockOutChannels.Count - 1);

    /// <summary>Reads <c>config.json</c>.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="LabException">The file is missing, is no JSON object, or asks for what this model does not have.</exception>
    public static AutoencoderKLConfig Read(string path)
    {
        var config = JsonFile.Read<AutoencoderKLConfig>(path);
        new RangeCheck(path).Whole("in_channels", config.InChannels, 1, 1024).Whole("out_channels", config.OutChannels, 1, 1024)
            .Whole("latent_channels", config.LatentChannels, 1, 1024).Whole("layers_per_block", config.LayersPerBlock, 1, 64)
            .Whole("norm_num_groups", config.NormNumGroups, 1, 4096).Whole("sample_size", config.SampleSize, 1, 65536)
            .Above("scaling_factor", config.ScalingFactor, 0)
            .Holds(double.IsFinite(config.ShiftFactor ?? 0), $"shift_factor is {config.ShiftFactor}; valid is a finite number, or null.")
            .Whole("the number of block_out_channels", config.BlockOutChannels.Count, 1, MostBlocks)
            .Each("block_out_channels", config.BlockOutChannels, 1, 65536).ThrowIfAny();
        if (config.BlockOutChannels.FirstOrDefault(channels => channels % config.NormNumGroups != 0) is not 0 and var uneven)
            throw new LabException(
                $"{path}: norm_num_groups is {config.NormNumGroups}; it must divide each of block_out_channels, and {uneven} it does not.");
        var blocks = config.DownBlockTypes.Where(type => type != "DownEncoderBlock2D")
            .Concat(config.UpBlockTypes.Where(type => type != "UpDecoderBlock2D")).ToList();
        if (blocks.Count > 0)
            throw new LabException(
                $"{path}: block types {ShownText.Line(string.Join(", ", blocks))} are not known; "
                + "DownEncoderBlock2D and UpDecoderBlock2D are.");
        if (config.DownBlockTypes.Count != config.BlockOutChannels.Count || config.UpBlockTypes.Count != config.BlockOutChannels.Count)
            throw new LabException(
                $"{path}: block_out_channels has {config.BlockOutChannels.Count} entries, down_block_types {config.DownBlockTypes.Count} "
                + $"and up_block_types {config.UpBlockTypes.Count}; they must be as many.");
        if (config.ActFn != "silu")
            throw new LabException($"{path}: act_fn is '{ShownText.Line(config.ActFn)}'; only silu is known.");
        return config;
    }
}
