using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// The feed-forward of a transformer block: width D to 4 D, GELU in its tanh form, back to D; <c>[..., D] → [..., D]</c>.
/// Its layers carry the published names <c>net.0.proj</c> and <c>net.2</c>.
/// </summary>
public sealed class FeedForward : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "net")]
    private readonly ModuleDict<nn.Module> _net;

    /// <summary>Declares the layers.</summary>
    /// <param name="width">D.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public FeedForward(long width, Device device, ScalarType dtype)
        : base(nameof(FeedForward))
    {
        _net = nn.ModuleDict<nn.Module>(
            ("0", nn.ModuleDict(("proj", new LoraLinear(width, 4 * width, true, device, dtype)))),
            ("2", new LoraLinear(4 * width, width, true, device, dtype)));
        RegisterComponents();
    }

    /// <summary>D to 4 D, before the GELU.</summary>
    public LoraLinear In => ((ModuleDict<LoraLinear>)_net["0"])["proj"];

    /// <summary>4 D to D.</summary>
    public LoraLinear Out => (LoraLinear)_net["2"];

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        if (Out.IsQuantized && Out.Adapters.Count == 0)
        {
            // The pass that brings the product's input into 8 bits takes its GELU as well.
            var wide = In.call(input);
            return Out.Plain(wide, Float8Rows.Of(wide, gelu: true)).MoveToOuterDisposeScope();
        }

        return Out.call(Widen(input)).MoveToOuterDisposeScope();
    }

    // On CUDA the product applies GELU to what it writes; a backward pass needs the values before it.
    private Tensor Widen(Tensor input)
    {
        if (input.device_type != DeviceType.CUDA || In.Adapters.Count > 0 || In.IsQuantized
            || (is_grad_enabled() && (input.requires_grad || In.Weight.requires_grad)))
            return nn.functional.gelu(In.call(input), TorchSharp.Modules.GELU.Approximate.tanh);
        using var rows = input.reshape(-1, In.InFeatures);
        using var wide = CompiledFunctions.LinearGelu(rows, In.Weight, In.Bias!);
        return wide.view([.. input.shape[..^1], In.OutFeatures]);
    }
}
