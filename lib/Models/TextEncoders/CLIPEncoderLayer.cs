using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>One layer of a CLIP encoder of text or pictures, norms first, <c>[B, S, D] → [B, S, D]</c>.</summary>
public sealed class CLIPEncoderLayer : nn.Module<Tensor, Tensor>
{
    /// <summary>Declares the layers.</summary>
    /// <param name="config">The encoder's configuration.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public CLIPEncoderLayer(CLIPTextConfig config, Device device, ScalarType dtype)
        : this(CLIPLayerSizes.Of(config), device, dtype)
    {
    }

    internal CLIPEncoderLayer(CLIPLayerSizes sizes, Device device, ScalarType dtype)
        : base(nameof(CLIPEncoderLayer))
    {
        SelfAttn = new CLIPAttention(sizes, device, dtype);
        LayerNorm1 = new LayerNorm(sizes.Width, sizes.LayerNormEps, device, dtype);
        Mlp = new CLIPMLP(sizes, device, dtype);
        LayerNorm2 = new LayerNorm(sizes.Width, sizes.LayerNormEps, device, dtype);
        RegisterComponents();
    }

    /// <summary>Attention.</summary>
    [field: ComponentName(Name = "self_attn")]
    public CLIPAttention SelfAttn { get; }

    /// <summary>Norm before the attention.</summary>
    [field: ComponentName(Name = "layer_norm1")]
    public LayerNorm LayerNorm1 { get; }

    /// <summary>Feed-forward.</summary>
    [field: ComponentName(Name = "mlp")]
    public CLIPMLP Mlp { get; }

    /// <summary>Norm before the feed-forward.</summary>
    [field: ComponentName(Name = "layer_norm2")]
    public LayerNorm LayerNorm2 { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => Run(input, input.shape[1]);

    /// <summary>The layer for the first tokens alone, which look at all.</summary>
    /// <param name="input"><c>[B, S, D]</c>.</param>
    /// <param name="first">F, how many tokens are needed, 1 to S.</param>
    /// <returns><c>[B, F, D]</c>.</returns>
    internal Tensor Run(Tensor input, long first)
    {
        using var scope = NewDisposeScope();
        var attended = input.narrow(1, 0, first).add(SelfAttn.Run(LayerNorm1.call(input), first), KeptScalar.One);
        return attended.add(Mlp.call(LayerNorm2.call(attended)), KeptScalar.One).MoveToOuterDisposeScope();
    }
}
