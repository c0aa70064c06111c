using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>What <see cref="AdaLayerNormZero"/> gives a transformer block. Letters: B rows, S tokens, D width.</summary>
/// <param name="Attention">Modulated input of the attention, <c>[B, S, D]</c>.</param>
/// <param name="AttentionGate">Gate of the attention's output, <c>[B, D]</c>.</param>
/// <param name="FeedForwardShift">Shift of the feed-forward's input, <c>[B, D]</c>.</param>
/// <param name="FeedForwardScale">Relative scale of the feed-forward's input, <c>[B, D]</c>.</param>
/// <param name="FeedForwardGate">Gate of the feed-forward's output, <c>[B, D]</c>.</param>
/// <param name="SecondAttention">Modulated input of the second attention, <c>[B, S, D]</c>, or null.</param>
/// <param name="SecondAttentionGate">Gate of the second attention's output, <c>[B, D]</c>, or null.</param>
public sealed record AdaLayerNormZeroOutput(
    Tensor Attention,
    Tensor AttentionGate,
    Tensor FeedForwardShift,
    Tensor FeedForwardScale,
    Tensor FeedForwardGate,
    Tensor? SecondAttention,
    Tensor? SecondAttentionGate)
{
    internal void MoveToOuterDisposeScope()
    {
        foreach (var tensor in new[] { Attention, AttentionGate, FeedForwardShift, FeedForwardScale, FeedForwardGate, SecondAttention,
            SecondAttentionGate })
            tensor?.MoveToOuterDisposeScope();
    }
}
