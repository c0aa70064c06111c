using System.Text.Json.Serialization;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Models.Transformers;

/// <summary>
/// The configuration of <see cref="SD3Transformer2DModel"/>, with the names of the published <c>transformer/config.json</c>.
/// Defaults are those of the published class, so that a file may leave keys out (Stable Diffusion 3-medium's does).
/// </summary>
public sealed record SD3TransformerConfig
{
    // Well above every published model (38 blocks, 2,432 wide): a model's structure takes memory before its file is compared with it.
    private const int MostLayers = 512;
    private const int MostWidth = 65536;

    /// <summary>Side of the latents that the model was made for; 128 stands for pictures of 1024 pixels.</summary>
    public int SampleSize { get; init; } = 128;

    /// <summary>Side of a patch, in latent pixels.</summary>
    public int PatchSize { get; init; } = 2;

    /// <summary>Channels of the latents.</summary>
    public int InChannels { get; init; } = 16;

    /// <summary>Channels of the prediction.</summary>
    public int? OutChannels { get; init; }

    /// <summary>Number of blocks.</summary>
    public int NumLayers { get; init; } = 18;

    /// <summary>Width of one attention head.</summary>
    public int AttentionHeadDim { get; init; } = 64;

    /// <summary>Number of attention heads.</summary>
    public int NumAttentionHeads { get; init; } = 18;

    /// <summary>Width of the text embeddings.</summary>
    public int JointAttentionDim { get; init; } = 4096;

    /// <summary>Width that the text embeddings are projected to; the blocks need it to equal <see cref="InnerDim"/>.</summary>
    public int CaptionProjectionDim { get; init; } = 1152;

    /// <summary>Width of the pooled text embedding.</summary>
    public int PooledProjectionDim { get; init; } = 2048;

    /// <summary>Side of the stored position table, in patches.</summary>
    public int PosEmbedMaxSize { get; init; } = 96;

    /// <summary>Indices of the blocks with a second attention.</summary>
    public IReadOnlyList<int> DualAttentionLayers { get; init; } = [];

    /// <summary>Normalisation of queries and keys: null or <c>rms_norm</c>.</summary>
    public string? QkNorm { get; init; }

    /// <summary>Width of the blocks.</summary>
    [JsonIgnore]
    public int InnerDim => NumAttentionHeads * AttentionHeadDim;

    /// <summary>Whether queries and keys are normalised.</summary>
    [JsonIgnore]
    public bool HasQkNorm => QkNorm is not null;

    /// <summary>Reads <c>config.json</c>.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="LabException">The file is missing, is no JSON object, or asks for what this model does not have.</exception>
    public static SD3TransformerConfig Read(string path)
    {
        var config = JsonFile.Read<SD3TransformerConfig>(path);
        new RangeCheck(path).Whole("sample_size", config.SampleSize, 1, 1024).Whole("patch_size", config.PatchSize, 1, 64)
            .Whole("in_channels", config.InChannels, 1, 1024).Whole("out_channels", config.OutChannels ?? config.InChannels, 1, 1024)
            .Whole("num_layers", config.NumLayers, 1, MostLayers).Whole("attention_head_dim", config.AttentionHeadDim, 1, 1024)
            .Whole("num_attention_heads", config.NumAttentionHeads, 1, 1024)
            .Whole("joint_attention_dim", config.JointAttentionDim, 1, MostWidth)
            .Whole("caption_projection_dim", config.CaptionProjectionDim, 1, MostWidth)
            .Whole("pooled_projection_dim", config.PooledProjectionDim, 1, MostWidth)
            .Whole("pos_embed_max_size", config.PosEmbedMaxSize, 1, 4096)
            .Each("dual_attention_layers", config.DualAttentionLayers, 0, Math.Max(config.NumLayers, 1) - 1).ThrowIfAny();
        if (config.QkNorm is not (null or "rms_norm"))
            throw new LabException($"{path}: qk_norm is '{ShownText.Line(config.QkNorm!)}'; valid values are null and rms_norm.");
        if (config.CaptionProjectionDim != config.InnerDim)
            throw new LabException(
                $"{path}: caption_projection_dim is {config.CaptionProjectionDim}; it must equal num_attention_heads × attention_head_dim "
                + $"= {config.InnerDim}.");
        return config;
    }
}
