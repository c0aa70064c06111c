using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Autoencoders;

/// <summary>Single-head attention over all positions, with a residual connection, <c>[B, C, H, W] → [B, C, H, W]</c>.</summary>
public sealed class VaeAttention : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "to_out")]
    private readonly ModuleDict<LoraLinear> _toOut;

    /// <summary>Declares the layers.</summary>
    /// <param name="channels">C.</param>
    /// <param name="groups">Groups of the normalisation.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public VaeAttention(long channels, long groups, Device device, ScalarType dtype)
        : base(nameof(VaeAttention))
    {
        GroupNorm = new Layers.GroupNorm(groups, channels, 1e-6, device, dtype);
        ToQ = new LoraLinear(channels, channels, true, device, dtype);
        ToK = new LoraLinear(channels, channels, true, device, dtype);
        ToV = new LoraLinear(channels, channels, true, device, dtype);
        _toOut = nn.ModuleDict(("0", new LoraLinear(channels, channels, true, device, dtype)));
        RegisterComponents();
    }

    /// <summary>Normalisation of the input.</summary>
    [field: ComponentName(Name = "group_norm")]
    public Layers.GroupNorm GroupNorm { get; }

    /// <summary>Queries.</summary>
    [field: ComponentName(Name = "to_q")]
    public LoraLinear ToQ { get; }

    /// <summary>Keys.</summary>
    [field: ComponentName(Name = "to_k")]
    public LoraLinear ToK { get; }

    /// <summary>Values.</summary>
    [field: ComponentName(Name = "to_v")]
    public LoraLinear ToV { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        // With the channels last in memory, neither tokens nor the map that they become again is a copy.
        var tokens = GroupNorm.call(input).flatten(2).transpose(1, 2);
        var attended = nn.functional.scaled_dot_product_attention(
            ToQ.call(tokens).unsqueeze(1), ToK.call(tokens).unsqueeze(1), ToV.call(tokens).unsqueeze(1));
        var output = _toOut["0"].call(attended.squeeze(1)).transpose(1, 2).reshape(input.shape);
        return input.add(output, KeptScalar.One).MoveToOuterDisposeScope();
    }
}
