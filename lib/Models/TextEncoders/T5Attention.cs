using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>
/// T5's self-attention: no scaling of the scores, a bias by distance, the softmax in float32. Letters: B rows, S tokens,
/// D width, N heads.
/// </summary>
public sealed class T5Attention : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly long _heads;

    /// <summary>Declares the layers.</summary>
    /// <param name="config">The encoder's configuration.</param>
    /// <param name="hasBias">Whether this layer holds the bias by distance, which the first does for all.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public T5Attention(T5Config config, bool hasBias, Device device, ScalarType dtype)
        : base(nameof(T5Attention))
    {
        ArgumentNullException.ThrowIfNull(config);
        _heads = config.NumHeads;
        long inner = config.NumHeads * config.DKv;
        LoraLinear In() => new(config.DModel, inner, false, device, dtype);
        Q = In();
        K = In();
        V = In();
        O = new LoraLinear(inner, config.DModel, false, device, dtype);
        RelativeAttentionBias = hasBias ? new Embedding(config.RelativeAttentionNumBuckets, config.NumHeads, device, dtype) : null;
        RegisterComponents();
    }

    /// <summary>Queries.</summary>
    [field: ComponentName(Name = "q")]
    public LoraLinear Q { get; }

    /// <summary>Keys.</summary>
    [field: ComponentName(Name = "k")]
    public LoraLinear K { get; }

    /// <summary>Values.</summary>
    [field: ComponentName(Name = "v")]
    public LoraLinear V { get; }

    /// <summary>Output projection.</summary>
    [field: ComponentName(Name = "o")]
    public LoraLinear O { get; }

    /// <summary>Bias of each distance class for each head, or null in all layers but the first.</summary>
    [field: ComponentName(Name = "relative_attention_bias")]
    public Embedding? RelativeAttentionBias { get; }

    /// <summary>Attends.</summary>
    /// <param name="input">Tokens, <c>[B, S, D]</c>.</param>
    /// <param name="positionBias">Added to the scores, <c>[1, N, S, S]</c>.</param>
    /// <returns>Tokens, <c>[B, S, D]</c>.</returns>
    public override Tensor forward(Tensor input, Tensor positionBias)
    {
        using var scope = NewDisposeScope();
        var scores = matmul(Heads(Q.call(input)), Heads(K.call(input)).transpose(-2, -1)).add(positionBias, KeptScalar.One);
        var weights = nn.functional.softmax(scores, dim: -1, dtype: ScalarType.Float32).to(scores.dtype);
        var attended = matmul(weights, Heads(V.call(input)));
        return O.call(attended.transpose(1, 2).flatten(2)).MoveToOuterDisposeScope();
    }

    private Tensor Heads(Tensor tokens) => tokens.view(tokens.shape[0], tokens.shape[1], _heads, -1).transpose(1, 2);
}
