using Dreambooth.Lab.Layers;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>Self-attention, <c>[B, S, D] → [B, F, D]</c>: the first F tokens look at all S.</summary>
internal sealed class ViTAttention : nn.Module<Tensor, long, Tensor>
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

    /// <summary>Attends.</summary>
    /// <param name="input"><c>[B, S, D]</c>.</param>
    /// <param name="first">F, how many tokens are needed, 1 to S.</param>
    /// <returns><c>[B, F, D]</c>.</returns>
    public override Tensor forward(Tensor input, long first)
    {
        using var scope = NewDisposeScope();
        Tensor Heads(string name, Tensor tokens) =>
            _inputs[name].call(tokens).view(tokens.shape[0], tokens.shape[1], _heads, -1).transpose(1, 2);
        var attended = nn.functional.scaled_dot_product_attention(
            Heads("query", input.narrow(1, 0, first)), Heads("key", input), Heads("value", input));
        return _output["dense"].call(attended.transpose(1, 2).flatten(2)).MoveToOuterDisposeScope();
    }
}
