using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// Under which names the original single-file checkpoints of Stable Diffusion 3 (<c>sd3_medium.safetensors</c>,
/// <c>sd3.5_medium.safetensors</c>, <c>sd3.5_large.safetensors</c> and the files beside them) hold the parameters that the models
/// publish. Sources of the names: Stability-AI/sd3.5 <c>mmditx.py</c>, <c>sd3_impls.py</c>; of how they correspond: diffusers
/// <c>loaders/single_file_utils.py</c>, commit 58eb52c.
/// </summary>
public static class OriginalLayout
{
    private static readonly KeyRule[] TransformerRules =
    [
        new("pos_embed", "pos_embed.pos_embed"),
        .. OriginalTransformer.Layers.SelectMany(layer => Rules(layer.Original, layer.Published, layer.Part)),
        new("joint_blocks.{n}.x_block.attn.ln_q.weight", "transformer_blocks.{n}.attn.norm_q.weight"),
        new("joint_blocks.{n}.x_block.attn.ln_k.weight", "transformer_blocks.{n}.attn.norm_k.weight"),
        new("joint_blocks.{n}.x_block.attn2.ln_q.weight", "transformer_blocks.{n}.attn2.norm_q.weight"),
        new("joint_blocks.{n}.x_block.attn2.ln_k.weight", "transformer_blocks.{n}.attn2.norm_k.weight"),
        new("joint_blocks.{n}.context_block.attn.ln_q.weight", "transformer_blocks.{n}.attn.norm_added_q.weight"),
        new("joint_blocks.{n}.context_block.attn.ln_k.weight", "transformer_blocks.{n}.attn.norm_added_k.weight"),
    ];

    private static readonly KeyRule[] VaeRules =
    [
        .. VaeHalf("encoder", "down", "{n}", "down_blocks", "downsample", "downsamplers"),
        .. VaeHalf("decoder", "up", "{-n}", "up_blocks", "upsample", "upsamplers"),
        new("quant_conv.{p}", "quant_conv.{p}"),
        new("post_quant_conv.{p}", "post_quant_conv.{p}"),
    ];

    private static readonly KeyRule[] ClipRules =
    [
        // Older files hold the place numbers and the temperature of CLIP's training.
        new("text_model.embeddings.position_ids", null),
        new("logit_scale", null),
        new("{*}", "{*}"),
    ];

    // The pooled text of the first encoder is not projected in Stable Diffusion 3, whatever projection a file holds.
    private static readonly KeyRule[] UnprojectedClipRules =
    [
        new("text_model.final_layer_norm.weight", "text_model.final_layer_norm.weight"),
        new("text_model.final_layer_norm.weight", "text_projection.weight", KeyPart.Identity),
        new("text_projection.weight", null),
        .. ClipRules,
    ];

    private static readonly KeyRule[] T5Rules =
    [
        new("encoder.embed_tokens.weight", "shared.weight", IsFallback: true),
        new("logit_scale", null),
        new("{*}", "{*}"),
    ];

    /// <summary>The transformer's names.</summary>
    /// <param name="blocks">Number of blocks.</param>
    public static KeyMapping Transformer(int blocks) => new(TransformerRules, blocks);

    /// <summary>The autoencoder's names.</summary>
    /// <param name="levels">Number of resolutions.</param>
    public static KeyMapping Vae(int levels) => new(VaeRules, levels);

    /// <summary>The first CLIP encoder's names.</summary>
    public static KeyMapping Clip { get; } = new(UnprojectedClipRules);

    /// <summary>The second CLIP encoder's names.</summary>
    public static KeyMapping Clip2 { get; } = new(ClipRules);

    /// <summary>T5's names.</summary>
    public static KeyMapping T5 { get; } = new(T5Rules);

    // Halves are swapped in the last block alone.
    private static IEnumerable<KeyRule> Rules(string original, string published, KeyPart part)
    {
        if (part == KeyPart.SwappedHalves && original.Contains("{n}", StringComparison.Ordinal))
        {
            string Last(string name) => name.Replace("{n}", "{last}", StringComparison.Ordinal);
            yield return new($"{Last(original)}.{{p}}", $"{Last(published)}.{{p}}", part);
            part = KeyPart.Whole;
        }

        yield return new($"{original}.{{p}}", $"{published}.{{p}}", part);
    }

    private static IEnumerable<KeyRule> VaeHalf(
        string half, string levels, string number, string publishedLevels, string sample, string publishedSample)
    {
        yield return new($"{half}.conv_in.{{p}}", $"{half}.conv_in.{{p}}");
        yield return new($"{half}.norm_out.{{p}}", $"{half}.conv_norm_out.{{p}}");
        yield return new($"{half}.conv_out.{{p}}", $"{half}.conv_out.{{p}}");
        yield return new($"{half}.{levels}.{{n}}.{sample}.conv.{{p}}", $"{half}.{publishedLevels}.{number}.{publishedSample}.0.conv.{{p}}");
        var attention = $"{half}.mid.attn_1";
        var publishedAttention = $"{half}.mid_block.attentions.0";
        yield return new($"{attention}.norm.{{p}}", $"{publishedAttention}.group_norm.{{p}}");
        foreach (var (stored, published) in new[] { ("q", "to_q"), ("k", "to_k"), ("v", "to_v"), ("proj_out", "to_out.0") })
        {
            yield return new($"{attention}.{stored}.weight", $"{publishedAttention}.{published}.weight", KeyPart.Squeezed);
            yield return new($"{attention}.{stored}.bias", $"{publishedAttention}.{published}.bias");
        }

        foreach (var (stored, published) in new[]
        {
            ($"{half}.mid.block_1", $"{half}.mid_block.resnets.0"), ($"{half}.mid.block_2", $"{half}.mid_block.resnets.1"),
            ($"{half}.{levels}.{{n}}.block.{{m}}", $"{half}.{publishedLevels}.{number}.resnets.{{m}}"),
        })
        {
            foreach (var layer in new[] { "norm1", "conv1", "norm2", "conv2" })
                yield return new($"{stored}.{layer}.{{p}}", $"{published}.{layer}.{{p}}");
            yield return new($"{stored}.nin_shortcut.{{p}}", $"{published}.conv_shortcut.{{p}}");
        }
    }
}
