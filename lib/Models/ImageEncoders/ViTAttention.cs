using Dreambooth.Lab.Layers;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>Self-attention of all tokens, <c>[B, S, D] → [B, S, D]</c>.</summary>
internal sealed class ViTAttention : nn.Module<Tensor, Tensor>
{
    private readonly long _heads;

    [ComponentName(Name = "attention")]
    private readonly ModuleDict<LoraLinear> _inputs;

    [ComponentName(Name = "output")]
    private readonly ModuleDict<LoraLinear> _output;

    /// <summary>Declares the layers.</summary>
    /// <param name="config">The encoder's configuration.</param>
    /// <param name="device">Where the parameters live.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public ViTAttention(ViTConfig config, Device device, ScalarType dtype)
        : base(nameof(ViTAttention))
    {
        _heads = config.NumAttentionHeads;
        LoraLinear Projection(bool bias) => new(config.HiddenSize, config.HiddenSize, bias, device, dtype);
        _inputs = nn.ModuleDict(
            ("query", Projection(config.QkvBias)), ("key", Projection(config.QkvBias)), ("value", Projection(config.QkvBias)));
        _output = nn.ModuleDict(("dense", Projection(true)));
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        Tensor Heads(string name) =>
            _inputs[name].call(input).view(input.shape[0], input.shape[1], _heads, -1).transpose(1, 2);
        var attended = nn.functional.scaled_dot_product_attention(Heads("query"), Heads("key"), Heads("value"));
        return _output["dense"].call(attended.transpose(1, 2).flatten(2)).MoveToOuterDisposeScope();
    }
}
