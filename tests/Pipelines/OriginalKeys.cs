using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;

namespace Dreambooth.Lab.Tests.Pipelines;

/// <summary>
/// Every name and shape of an original single file, written down from the original modules (Stability-AI/sd3.5 <c>mmditx.py</c> and
/// <c>sd3_impls.py</c>; CLIP and T5 as transformers names them), without a look at the lab's table.
/// </summary>
internal static class OriginalKeys
{
    public const string TransformerPrefix = "model.diffusion_model.";
    public const string VaePrefix = "first_stage_model.";
    public const string ClipPrefix = "text_encoders.clip_l.transformer.";
    public const string Clip2Prefix = "text_encoders.clip_g.transformer.";
    public const string T5Prefix = "text_encoders.t5xxl.transformer.";

    public static IEnumerable<(string Key, long[] Shape)> Transformer(SD3TransformerConfig config)
    {
        long width = config.InnerDim, patch = config.PatchSize, head = config.AttentionHeadDim;
        yield return ("pos_embed", [1, (long)config.PosEmbedMaxSize * config.PosEmbedMaxSize, width]);
        foreach (var (layer, shape) in new (string, long[])[]
        {
            ("x_embedder.proj", [width, config.InChannels, patch, patch]), ("t_embedder.mlp.0", [width, 256]),
            ("t_embedder.mlp.2", [width, width]),
            ("y_embedder.mlp.0", [width, config.PooledProjectionDim]), ("y_embedder.mlp.2", [width, width]),
            ("context_embedder", [width, config.JointAttentionDim]),
            ("final_layer.adaLN_modulation.1", [2 * width, width]), ("final_layer.linear", [patch * patch * config.InChannels, width]),
        })
        {
            yield return (layer + ".weight", shape);
            yield return (layer + ".bias", [shape[0]]);
        }

        for (var block = 0; block < config.NumLayers; block++)
        {
            var dual = config.DualAttentionLayers.Contains(block);
            foreach (var key in Stream($"joint_blocks.{block}.x_block", width, head, config.HasQkNorm, dual, preOnly: false))
                yield return key;
            foreach (var key in Stream(
                $"joint_blocks.{block}.context_block", width, head, config.HasQkNorm, dual: false, preOnly: block == config.NumLayers - 1))
                yield return key;
        }
    }

    public static IEnumerable<(string Key, long[] Shape)> Vae(AutoencoderKLConfig config)
    {
        var channels = config.BlockOutChannels;
        long top = channels[^1], latents = config.LatentChannels;
        foreach (var (half, enters, leaves, inner, outer) in new[] { ("encoder", 3L, 2 * latents, (long)channels[0], top),
            ("decoder", latents, 3L, top, (long)channels[0]) })
        {
            List<(string, long[])> layers =
                [($"{half}.conv_in", [inner, enters, 3, 3]), ($"{half}.norm_out", [outer]), ($"{half}.conv_out", [leaves, outer, 3, 3])];
            foreach (var name in new[] { "q", "k", "v", "proj_out" })
                layers.Add(($"{half}.mid.attn_1.{name}", [top, top, 1, 1]));
            layers.Add(($"{half}.mid.attn_1.norm", [top]));
            layers.AddRange(Resnet($"{half}.mid.block_1", top, top));
            layers.AddRange(Resnet($"{half}.mid.block_2", top, top));
            for (var level = 0; level < channels.Count; level++)
            {
                var encoder = half == "encoder";
                long own = channels[level], before = encoder
                    ? channels[Math.Max(0, level - 1)]
                    : channels[Math.Min(channels.Count - 1, level + 1)];
                for (var block = 0; block < config.LayersPerBlock + (encoder ? 0 : 1); block++)
                    layers.AddRange(Resnet($"{half}.{(encoder ? "down" : "up")}.{level}.block.{block}", block == 0 ? before : own, own));
                if (encoder ? level < channels.Count - 1 : level > 0)
                    layers.Add(
                        ($"{half}.{(encoder ? "down" : "up")}.{level}.{(encoder ? "downsample" : "upsample")}.conv", [own, own, 3, 3]));
            }

            foreach (var (layer, shape) in layers)
            {
                yield return (layer + ".weight", shape);
                yield return (layer + ".bias", [shape[0]]);
            }
        }
    }

    public static IEnumerable<(string Key, long[] Shape)> Clip(CLIPTextConfig config, bool projected)
    {
        long width = config.HiddenSize, wide = config.IntermediateSize;
        yield return ("text_model.embeddings.token_embedding.weight", [config.VocabSize, width]);
        yield return ("text_model.embeddings.position_embedding.weight", [config.MaxPositionEmbeddings, width]);
        if (projected)
            yield return ("text_projection.weight", [config.ProjectionDim, width]);
        List<(string, long[])> layers = [("final_layer_norm", [width])];
        for (var layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            var stem = $"encoder.layers.{layer}";
            foreach (var name in new[] { "q_proj", "k_proj", "v_proj", "out_proj" })
                layers.Add(($"{stem}.self_attn.{name}", [width, width]));
            layers.AddRange(
                [($"{stem}.layer_norm1", [width]), ($"{stem}.layer_norm2", [width]), ($"{stem}.mlp.fc1", [wide, width]),
                    ($"{stem}.mlp.fc2", [width, wide])]);
        }

        foreach (var (layer, shape) in layers)
        {
            yield return ($"text_model.{layer}.weight", shape);
            yield return ($"text_model.{layer}.bias", [shape[0]]);
        }
    }

    public static IEnumerable<(string Key, long[] Shape)> T5(T5Config config)
    {
        long width = config.DModel, inner = config.NumHeads * config.DKv, wide = config.DFf;
        yield return ("shared.weight", [config.VocabSize, width]);
        yield return ("encoder.embed_tokens.weight", [config.VocabSize, width]);
        yield return ("encoder.final_layer_norm.weight", [width]);
        yield return ("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
            [config.RelativeAttentionNumBuckets, config.NumHeads]);
        for (var block = 0; block < config.NumLayers; block++)
        {
            var stem = $"encoder.block.{block}.layer";
            foreach (var name in new[] { "q", "k", "v" })
                yield return ($"{stem}.0.SelfAttention.{name}.weight", [inner, width]);
            yield return ($"{stem}.0.SelfAttention.o.weight", [width, inner]);
            yield return ($"{stem}.0.layer_norm.weight", [width]);
            yield return ($"{stem}.1.DenseReluDense.wi_0.weight", [wide, width]);
            yield return ($"{stem}.1.DenseReluDense.wi_1.weight", [wide, width]);
            yield return ($"{stem}.1.DenseReluDense.wo.weight", [width, wide]);
            yield return ($"{stem}.1.layer_norm.weight", [width]);
        }
    }

    private static IEnumerable<(string, long[])> Stream(string stem, long width, long head, bool qkNorm, bool dual, bool preOnly)
    {
        List<(string, long[])> layers =
            [("adaLN_modulation.1", [(dual ? 9 : preOnly ? 2 : 6) * width, width]), ("attn.qkv", [3 * width, width])];
        if (!preOnly)
            layers.AddRange([("attn.proj", [width, width]), ("mlp.fc1", [4 * width, width]), ("mlp.fc2", [width, 4 * width])]);
        if (dual)
            layers.AddRange([("attn2.qkv", [3 * width, width]), ("attn2.proj", [width, width])]);
        foreach (var (layer, shape) in layers)
        {
            yield return ($"{stem}.{layer}.weight", shape);
            yield return ($"{stem}.{layer}.bias", [shape[0]]);
        }

        foreach (var attention in dual ? ["attn", "attn2"] : new[] { "attn" })
        {
            if (!qkNorm)
                continue;
            yield return ($"{stem}.{attention}.ln_q.weight", [head]);
            yield return ($"{stem}.{attention}.ln_k.weight", [head]);
        }
    }

    private static IEnumerable<(string, long[])> Resnet(string stem, long enters, long leaves)
    {
        yield return ($"{stem}.norm1", [enters]);
        yield return ($"{stem}.conv1", [leaves, enters, 3, 3]);
        yield return ($"{stem}.norm2", [leaves]);
        yield return ($"{stem}.conv2", [leaves, leaves, 3, 3]);
        if (enters != leaves)
            yield return ($"{stem}.nin_shortcut", [leaves, enters, 1, 1]);
    }
}
