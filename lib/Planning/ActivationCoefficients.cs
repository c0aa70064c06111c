namespace Dreambooth.Lab.Planning;

/// <summary>
/// What <see cref="ActivationEstimate"/> multiplies shapes by: how many tensors of a size are alive at a model's widest place, or are kept
/// for the backward pass. To be changed by hand, one at a time, where <c>bench memory</c> shows a phase whose ratio is off; each change
/// names its source.
/// </summary>
internal sealed record ActivationCoefficients
{
    /// <summary>
    /// The coefficients in use: counted from the models' code and checked, those of the autoencoder fitted, against 17 runs on an H100 and
    /// an H200 (tests/benchmarks/results).
    /// </summary>
    public static ActivationCoefficients InUse { get; } = new();

    /// <summary>Phase <c>encode</c>, CLIP: hidden widths of a token in a layer.</summary>
    public double ClipHidden { get; init; } = 9;

    /// <summary>Phase <c>encode</c>, CLIP: feed-forward widths of a token in a layer.</summary>
    public double ClipFeedForward { get; init; } = 4;

    /// <summary>Phase <c>encode</c>, T5: hidden widths of a token in a layer.</summary>
    public double T5Hidden { get; init; } = 8;

    /// <summary>Phase <c>encode</c>, T5: widths of all heads of a token.</summary>
    public double T5Heads { get; init; } = 4;

    /// <summary>Phase <c>encode</c>, T5: feed-forward widths of a token.</summary>
    public double T5FeedForward { get; init; } = 5;

    /// <summary>Phase <c>encode</c>, T5: tables of scores, heads × tokens × tokens.</summary>
    public double T5Scores { get; init; } = 4;

    /// <summary>Phase <c>cache</c>: factor on what is counted of the encoder's widest place.</summary>
    public double EncoderScale { get; init; } = 0.81;

    /// <summary>Phase <c>decode</c>: factor on what is counted of the decoder's widest place.</summary>
    public double DecoderScale { get; init; } = 0.73;

    /// <summary>Phase <c>sample</c>: token widths in a block; a second attention comes when the first one's are gone.</summary>
    public double SamplingWidths { get; init; } = 13;

    /// <summary>
    /// Phase <c>step</c>: token widths that the backward pass holds at its widest: about two feed-forward hiddens and a few gradients.
    /// </summary>
    public double BackwardWidths { get; init; } = 12;

    /// <summary>Phase <c>step</c>: widths kept of a token in a block for the residual stream.</summary>
    public double KeptResidual { get; init; } = 2;

    /// <summary>Phase <c>step</c>: widths kept for an attention: queries, keys and values as it reads them, and its output.</summary>
    public double KeptAttention { get; init; } = 4;

    /// <summary>Phase <c>step</c>: widths kept for a feed-forward: its hidden.</summary>
    public double KeptFeedForward { get; init; } = 4;

    /// <summary>Phase <c>step</c>: widths kept besides where the conditioning carries a gradient: what the gates multiply.</summary>
    public double KeptConditioning { get; init; } = 2;

    /// <summary>
    /// Phase <c>step</c>, LoRA with biases: outputs of the adapted layers kept beside plain LoRA's; this and the next three from the LoRA
    /// steps of 2026-11-29 on an H200.
    /// </summary>
    public double BiasRows { get; init; } = 0.3;

    /// <summary>Phase <c>step</c>, dropout: inputs of the adapted layers; the mask, and what it leaves of them.</summary>
    public double DropoutRows { get; init; } = 2;

    /// <summary>Phase <c>step</c>, LoHa: the same, beside what has the weights' size.</summary>
    public double LohaRows { get; init; } = 1;

    /// <summary>Phase <c>step</c>, LoKr: the same.</summary>
    public double LokrRows { get; init; } = 0.75;

    /// <summary>Phase <c>step</c>, DoRA: the same.</summary>
    public double DoraRows { get; init; } = 1.3;

    /// <summary>Phase <c>step</c>, CLIP with LoRA: hidden widths kept of a token in a layer.</summary>
    public double KeptClipHidden { get; init; } = 10;
}
