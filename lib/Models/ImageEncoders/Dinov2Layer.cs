using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>
/// One layer of a DINOv2, norms first, each branch times its learned scale, <c>[B, S, D] → [B, F, D]</c>: the first F tokens.
/// </summary>
internal sealed class Dinov2Layer : nn.Module<Tensor, long, Tensor>
{
    [ComponentName(Name = "mlp")]
    private readonly ModuleDict<LoraLinear> _mlp;

    /// <summary>Declares the layers.</summary>
    /// <param name="config">The encoder's configuration.</param>
    /// <param name="device">Where the parameters live.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public Dinov2Layer(ViTConfig config, Device device, ScalarType dtype)
        : base(nameof(Dinov2Layer))
    {
        Norm1 = new Layers.LayerNorm(config.HiddenSize, config.Epsilon, device, dtype);
        Attention = new ViTAttention(config, device, dtype);
        LayerScale1 = new LayerScale(config.HiddenSize, device, dtype);
        Norm2 = new Layers.LayerNorm(config.HiddenSize, config.Epsilon, device, dtype);
        _mlp = nn.ModuleDict(
            ("fc1", new LoraLinear(config.HiddenSize, config.InnerWidth, true, device, dtype)),
            ("fc2", new LoraLinear(config.InnerWidth, config.HiddenSize, true, device, dtype)));
        LayerScale2 = new LayerScale(config.HiddenSize, device, dtype);
        RegisterComponents();
    }

    /// <summary>Norm before the attention.</summary>
    [field: ComponentName(Name = "norm1")]
    public Layers.LayerNorm Norm1 { get; }

    /// <summary>Attention.</summary>
    [field: ComponentName(Name = "attention")]
    public ViTAttention Attention { get; }

    /// <summary>Scale of the attention.</summary>
    [field: ComponentName(Name = "layer_scale1")]
    public LayerScale LayerScale1 { get; }

    /// <summary>Norm before the feed-forward.</summary>
    [field: ComponentName(Name = "norm2")]
    public Layers.LayerNorm Norm2 { get; }

    /// <summary>Scale of the feed-forward.</summary>
    [field: ComponentName(Name = "layer_scale2")]
    public LayerScale LayerScale2 { get; }

    /// <summary>Computes the layer; what it holds alone is overwritten, so that large batches need fewer pages of memory.</summary>
    /// <param name="input"><c>[B, S, D]</c>.</param>
    /// <param name="first">F, how many tokens are needed, 1 to S.</param>
    /// <returns><c>[B, F, D]</c>.</returns>
    public override Tensor forward(Tensor input, long first)
    {
        using var scope = NewDisposeScope();
        var attended = LayerScale1.call(Attention.call(Norm1.call(input), first)).add_(input.narrow(1, 0, first), KeptScalar.One);
        var inner = nn.functional.gelu(_mlp["fc1"].call(Norm2.call(attended)), inplace: true);
        return LayerScale2.call(_mlp["fc2"].call(inner)).add_(attended, KeptScalar.One).MoveToOuterDisposeScope();
    }
}
