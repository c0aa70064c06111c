namespace Dreambooth.Lab.Models.Transformers;

/// <summary>
/// The sizes of the transformer's layers that an update can change, by their paths, from the configuration alone. Letters: D width, p patch
/// side.
/// </summary>
internal static class SD3LayerSizes
{
    // Of the sinusoids, as in TimestepEmbedding.
    private const long TimeChannels = 256;

    /// <summary>The layers.</summary>
    /// <param name="config">The transformer.</param>
    public static Dictionary<string, (long Out, long In)> Of(SD3TransformerConfig config)
    {
        long width = config.InnerDim, patch = (long)config.PatchSize * config.PatchSize;
        var sizes = new Dictionary<string, (long Out, long In)>(StringComparer.Ordinal)
        {
            ["pos_embed.proj"] = (width, config.InChannels * patch),
            ["time_text_embed.timestep_embedder.linear_1"] = (width, TimeChannels),
            ["time_text_embed.timestep_embedder.linear_2"] = (width, width),
            ["time_text_embed.text_embedder.linear_1"] = (width, config.PooledProjectionDim),
            ["time_text_embed.text_embedder.linear_2"] = (width, width),
            ["context_embedder"] = (config.CaptionProjectionDim, config.JointAttentionDim),
            ["norm_out.linear"] = (2 * width, width),
            ["proj_out"] = (patch * (config.OutChannels ?? config.InChannels), width),
        };
        for (var block = 0; block < config.NumLayers; block++)
        {
            foreach (var (name, size) in Block(width, block == config.NumLayers - 1, config.DualAttentionLayers.Contains(block)))
                sizes[$"transformer_blocks.{block}.{name}"] = size;
        }

        return sizes;
    }

    // The last block does not carry the text on: its text has scale and shift alone, no output and no feed-forward.
    private static IEnumerable<(string Name, (long Out, long In) Size)> Block(long width, bool isLast, bool isDual)
    {
        yield return ("norm1.linear", ((isDual ? 9 : 6) * width, width));
        yield return ("norm1_context.linear", ((isLast ? 2 : 6) * width, width));
        string[] square =
        [
            "attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0", "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj",
            .. isLast ? [] : new[] { "attn.to_add_out" },
            .. isDual ? new[] { "attn2.to_q", "attn2.to_k", "attn2.to_v", "attn2.to_out.0" } : [],
        ];
        foreach (var name in square)
            yield return (name, (width, width));
        foreach (var part in isLast ? new[] { "ff" } : ["ff", "ff_context"])
        {
            yield return ($"{part}.net.0.proj", (4 * width, width));
            yield return ($"{part}.net.2", (width, 4 * width));
        }
    }
}
