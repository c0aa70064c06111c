using Dreambooth.Lab.Layers;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Transformers;

/// <summary>
/// One MMDiT block: joint attention of image and text, then a feed-forward for each; Stable Diffusion 3.5-medium's first
/// blocks have a second attention of the image alone. Letters: B rows, S image tokens, L text tokens, D width.
/// </summary>
public sealed class JointTransformerBlock : nn.Module<Tensor, Tensor, Tensor, (Tensor Image, Tensor? Text)>
{
    /// <summary>Declares the layers.</summary>
    /// <param name="config">The transformer's configuration.</param>
    /// <param name="index">Which block this is, from 0.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public JointTransformerBlock(SD3TransformerConfig config, int index, Device device, ScalarType dtype)
        : base(nameof(JointTransformerBlock))
    {
        ArgumentNullException.ThrowIfNull(config);
        var width = config.InnerDim;
        var last = index == config.NumLayers - 1;
        var dual = config.DualAttentionLayers.Contains(index);
        Norm1 = new AdaLayerNormZero(width, dual, device, dtype);
        Norm1Context = last
            ? new AdaLayerNormContinuous(width, device, dtype)
            : new AdaLayerNormZero(width, dual: false, device, dtype);
        Attn = new JointAttention(config.NumAttentionHeads, config.AttentionHeadDim, true, last, config.HasQkNorm, device, dtype);
        Attn2 = dual
            ? new JointAttention(config.NumAttentionHeads, config.AttentionHeadDim, false, false, config.HasQkNorm, device, dtype)
            : null;
        Ff = new FeedForward(width, device, dtype);
        FfContext = last ? null : new FeedForward(width, device, dtype);
        RegisterComponents();
    }

    /// <summary>Modulation of the image stream.</summary>
    [field: ComponentName(Name = "norm1")]
    public AdaLayerNormZero Norm1 { get; }

    /// <summary>
    /// Modulation of the text stream: <see cref="AdaLayerNormZero"/>, in the last block <see cref="AdaLayerNormContinuous"/>.
    /// </summary>
    [field: ComponentName(Name = "norm1_context")]
    public nn.Module Norm1Context { get; }

    /// <summary>Joint attention.</summary>
    [field: ComponentName(Name = "attn")]
    public JointAttention Attn { get; }

    /// <summary>Attention of the image alone, or null.</summary>
    [field: ComponentName(Name = "attn2")]
    public JointAttention? Attn2 { get; }

    /// <summary>Feed-forward of the image.</summary>
    [field: ComponentName(Name = "ff")]
    public FeedForward Ff { get; }

    /// <summary>Feed-forward of the text, or null in the last block.</summary>
    [field: ComponentName(Name = "ff_context")]
    public FeedForward? FfContext { get; }

    /// <summary>Computes the block.</summary>
    /// <param name="image">Image tokens, <c>[B, S, D]</c>.</param>
    /// <param name="text">Text tokens, <c>[B, L, D]</c>.</param>
    /// <param name="conditioning">Timestep and pooled text, <c>[B, D]</c>.</param>
    /// <returns>Image tokens, <c>[B, S, D]</c>, and text tokens, <c>[B, L, D]</c>, or null from the last block.</returns>
    public override (Tensor Image, Tensor? Text) forward(Tensor image, Tensor text, Tensor conditioning)
    {
        using var scope = NewDisposeScope();
        var norm = Norm1.call(image, conditioning);
        var textNorm = (Norm1Context as AdaLayerNormZero)?.call(text, conditioning);
        var textInput = textNorm?.Attention ?? ((AdaLayerNormContinuous)Norm1Context).call(text, conditioning);

        var (imageBranch, textBranch) = Attn.call(norm.Attention, textInput);
        var imageGate = norm.AttentionGate;
        if (Attn2 is not null)
        {
            image = AdaptiveNorm.GateAdd(image, imageGate, imageBranch);
            (imageGate, imageBranch) = (norm.SecondAttentionGate!, Attn2.call(norm.SecondAttention!, null).Image);
        }

        image = AddBranches(image, imageGate, imageBranch, Ff, norm);
        if (textNorm is null)
            return (image.MoveToOuterDisposeScope(), null);

        text = AddBranches(text, textNorm.AttentionGate, textBranch!, FfContext!, textNorm);
        return (image.MoveToOuterDisposeScope(), text.MoveToOuterDisposeScope());
    }

    // The attention's branch, then that of the feed-forward.
    private static Tensor AddBranches(Tensor tokens, Tensor gate, Tensor branch, FeedForward feedForward, AdaLayerNormZeroOutput norm)
    {
        var (sum, input) = AdaptiveNorm.GateAddModulate(tokens, gate, branch, norm.FeedForwardShift, norm.FeedForwardScale);
        return AdaptiveNorm.GateAdd(sum, norm.FeedForwardGate, feedForward.call(input));
    }
}
