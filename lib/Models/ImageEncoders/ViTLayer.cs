using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>One layer of a ViT, norms first, <c>[B, S, D] → [B, F, D]</c>: the first F tokens.</summary>
internal sealed class ViTLayer : nn.Module<Tensor, long, Tensor>
{
    [ComponentName(Name = "intermediate")]
    private readonly ModuleDict<LoraLinear> _inner;

    [ComponentName(Name = "output")]
    private readonly ModuleDict<LoraLinear> _outer;

    /// <summary>Declares the layers.</summary>
    /// <param name="config">The encoder's configuration.</param>
    /// <param name="device">Where the parameters live.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public ViTLayer(ViTConfig config, Device device, ScalarType dtype)
        : base(nameof(ViTLayer))
    {
        LayerNormBefore = new Layers.LayerNorm(config.HiddenSize, config.Epsilon, device, dtype);
        Attention = new ViTAttention(config, device, dtype);
        LayerNormAfter = new Layers.LayerNorm(config.HiddenSize, config.Epsilon, device, dtype);
        _inner = nn.ModuleDict(("dense", new LoraLinear(config.HiddenSize, config.InnerWidth, true, device, dtype)));
        _outer = nn.ModuleDict(("dense", new LoraLinear(config.InnerWidth, config.HiddenSize, true, device, dtype)));
        RegisterComponents();
    }

    /// <summary>Norm before the attention.</summary>
    [field: ComponentName(Name = "layernorm_before")]
    public Layers.LayerNorm LayerNormBefore { get; }

    /// <summary>Attention.</summary>
    [field: ComponentName(Name = "attention")]
    public ViTAttention Attention { get; }

    /// <summary>Norm before the feed-forward.</summary>
    [field: ComponentName(Name = "layernorm_after")]
    public Layers.LayerNorm LayerNormAfter { get; }

    /// <summary>Computes the layer; what it holds alone is overwritten, so that large batches need fewer pages of memory.</summary>
    /// <param name="input"><c>[B, S, D]</c>.</param>
    /// <param name="first">F, how many tokens are needed, 1 to S.</param>
    /// <returns><c>[B, F, D]</c>.</returns>
    public override Tensor forward(Tensor input, long first)
    {
        using var scope = NewDisposeScope();
        var attended = Attention.call(LayerNormBefore.call(input), first).add_(input.narrow(1, 0, first), KeptScalar.One);
        var inner = nn.functional.gelu(_inner["dense"].call(LayerNormAfter.call(attended)), inplace: true);
        return _outer["dense"].call(inner).add_(attended, KeptScalar.One).MoveToOuterDisposeScope();
    }
}
