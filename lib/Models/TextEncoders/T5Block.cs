using Dreambooth.Lab.Tensors;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>
/// One block of the T5 encoder, <c>[B, S, D] → [B, S, D]</c>: attention, then feed-forward, published as <c>layer.0</c> and <c>layer.1</c>.
/// </summary>
public sealed class T5Block : nn.Module<Tensor, Tensor, Tensor>
{
    private const double HalfMax = 65504;
    private const double HalfMargin = 1000;

    [ComponentName(Name = "layer")]
    private readonly ModuleDict<nn.Module> _layer;

    /// <summary>Declares the layers.</summary>
    /// <param name="config">The encoder's configuration.</param>
    /// <param name="hasBias">Whether this block holds the bias by distance.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public T5Block(T5Config config, bool hasBias, Device device, ScalarType dtype)
        : base(nameof(T5Block))
    {
        _layer = nn.ModuleDict<nn.Module>(
            ("0", new T5LayerSelfAttention(config, hasBias, device, dtype)),
            ("1", new T5LayerFF(config, device, dtype)));
        RegisterComponents();
    }

    /// <summary>The attention half.</summary>
    public T5LayerSelfAttention Attention => (T5LayerSelfAttention)_layer["0"];

    /// <summary>The feed-forward half.</summary>
    public T5LayerFF FeedForward => (T5LayerFF)_layer["1"];

    /// <summary>Computes the block.</summary>
    /// <param name="input">Tokens, <c>[B, S, D]</c>.</param>
    /// <param name="positionBias">Added to the attention scores, <c>[1, heads, S, S]</c>.</param>
    /// <returns>Tokens, <c>[B, S, D]</c>.</returns>
    public override Tensor forward(Tensor input, Tensor positionBias)
    {
        using var scope = NewDisposeScope();
        var attended = Clamp(Attention.call(input, positionBias));
        return Clamp(FeedForward.call(attended)).MoveToOuterDisposeScope();
    }

    // float16 overflows in T5; as in the reference, tokens are clamped where any became infinite.
    private static Tensor Clamp(Tensor tokens)
    {
        if (tokens.dtype != ScalarType.Float16)
            return tokens;
        var limit = tokens.isinf().any().to(ScalarType.Float32).mul(KeptScalar.Of(-HalfMargin)).add(KeptScalar.Of(HalfMax), KeptScalar.One)
            .to(ScalarType.Float16);
        return tokens.clamp(-limit, limit);
    }
}
