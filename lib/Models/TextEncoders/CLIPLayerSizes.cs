namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>What a layer of CLIP's text or image encoder is made of.</summary>
/// <param name="Width">Width of the tokens.</param>
/// <param name="InnerWidth">Width inside the feed-forward.</param>
/// <param name="Heads">Number of attention heads.</param>
/// <param name="HasQuickGelu">Whether the feed-forward has CLIP's approximation of GELU, else GELU itself.</param>
/// <param name="LayerNormEps">Added to the variance in every norm.</param>
/// <param name="IsCausal">Whether a token sees only itself and those before it.</param>
internal sealed record CLIPLayerSizes(int Width, int InnerWidth, int Heads, bool HasQuickGelu, double LayerNormEps, bool IsCausal)
{
    /// <summary>Those of a text encoder.</summary>
    /// <param name="config">Its configuration.</param>
    public static CLIPLayerSizes Of(CLIPTextConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return new(config.HiddenSize, config.IntermediateSize, config.NumAttentionHeads, config.HiddenAct == "quick_gelu",
            config.LayerNormEps, IsCausal: true);
    }
}
