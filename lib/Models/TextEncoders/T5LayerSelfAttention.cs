using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>The attention half of a T5 block with its norm and residual, <c>[B, S, D] → [B, S, D]</c>.</summary>
public sealed class T5LayerSelfAttention : nn.Module<Tensor, Tensor, Tensor>
{
    /// <summary>Declares the layers.</summary>
    /// <param name="config">The encoder's configuration.</param>
    /// <param name="hasBias">Whether this layer holds the bias by distance.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public T5LayerSelfAttention(T5Config config, bool hasBias, Device device, ScalarType dtype)
        : base(nameof(T5LayerSelfAttention))
    {
        ArgumentNullException.ThrowIfNull(config);
        SelfAttention = new T5Attention(config, hasBias, device, dtype);
        LayerNorm = new RMSNorm(config.DModel, config.LayerNormEpsilon, device, dtype);
        RegisterComponents();
    }

    /// <summary>Attention.</summary>
    [field: ComponentName(Name = "SelfAttention")]
    public T5Attention SelfAttention { get; }

    /// <summary>Norm before the attention.</summary>
    [field: ComponentName(Name = "layer_norm")]
    public RMSNorm LayerNorm { get; }

    /// <summary>Computes the half block.</summary>
    /// <param name="input">Tokens, <c>[B, S, D]</c>.</param>
    /// <param name="positionBias">Added to the attention scores, <c>[1, heads, S, S]</c>.</param>
    /// <returns>Tokens, <c>[B, S, D]</c>.</returns>
    public override Tensor forward(Tensor input, Tensor positionBias)
    {
        using var scope = NewDisposeScope();
        return input.add(SelfAttention.call(LayerNorm.call(input), positionBias), KeptScalar.One).MoveToOuterDisposeScope();
    }
}
