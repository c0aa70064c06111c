using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>
/// The configuration of <see cref="T5EncoderModel"/>, with the names of the published <c>text_encoder_3/config.json</c>.
/// Defaults are those of the published class.
/// </summary>
public sealed record T5Config
{
    /// <summary>Number of token ids.</summary>
    public int VocabSize { get; init; } = 32128;

    /// <summary>Width of the tokens.</summary>
    public int DModel { get; init; } = 512;

    /// <summary>Width of one attention head; heads × head width need not equal <see cref="DModel"/>.</summary>
    public int DKv { get; init; } = 64;

    /// <summary>Width inside the feed-forward.</summary>
    public int DFf { get; init; } = 2048;

    /// <summary>Number of layers.</summary>
    public int NumLayers { get; init; } = 6;

    /// <summary>Number of attention heads.</summary>
    public int NumHeads { get; init; } = 8;

    /// <summary>Number of distance classes of the relative position bias; a multiple of 4.</summary>
    public int RelativeAttentionNumBuckets { get; init; } = 32;

    /// <summary>Distance in tokens from which on all fall into one class.</summary>
    public int RelativeAttentionMaxDistance { get; init; } = 128;

    /// <summary>Kind of the feed-forward; only <c>gated-gelu</c> (T5 1.1) exists here.</summary>
    public string FeedForwardProj { get; init; } = "relu";

    /// <summary>Added to the mean square in every norm.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-6;

    /// <summary>Reads <c>config.json</c>.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="LabException">The file is missing, is no JSON object, or asks for what this model does not have.</exception>
    public static T5Config Read(string path)
    {
        var config = JsonFile.Read<T5Config>(path);
        new RangeCheck(path).Whole("vocab_size", config.VocabSize, 1, 16_777_216).Whole("d_model", config.DModel, 1, 65536)
            .Whole("d_kv", config.DKv, 1, 4096).Whole("d_ff", config.DFf, 1, 1 << 20).Whole("num_layers", config.NumLayers, 1, 512)
            .Whole("num_heads", config.NumHeads, 1, 1024)
            .Whole("relative_attention_num_buckets", config.RelativeAttentionNumBuckets, 4, 65536)
            .Whole("relative_attention_max_distance", config.RelativeAttentionMaxDistance, 1, 1 << 24)
            .Above("layer_norm_epsilon", config.LayerNormEpsilon, 0).ThrowIfAny();
        if (config.FeedForwardProj != "gated-gelu")
            throw new LabException(
                $"{path}: feed_forward_proj is '{ShownText.Line(config.FeedForwardProj)}'; only gated-gelu (T5 1.1) is known.");
        if (config.RelativeAttentionNumBuckets % 4 != 0)
            throw new LabException(
                $"{path}: relative_attention_num_buckets is {config.RelativeAttentionNumBuckets}; it must be a multiple of 4.");
        if (config.RelativeAttentionMaxDistance <= config.RelativeAttentionNumBuckets / 4)
            throw new LabException(
                $"{path}: relative_attention_max_distance is {config.RelativeAttentionMaxDistance}; it must be above a quarter of the "
                + $"{config.RelativeAttentionNumBuckets} buckets.");
        return config;
    }
}
