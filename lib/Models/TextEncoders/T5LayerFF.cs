using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>
/// The feed-forward half of a T5 block with its norm and residual, <c>[B, S, D] → [B, S, D]</c>: <c>wo(gelu(wi_0 x) · wi_1 x)</c>
/// with GELU in its tanh form. <see cref="Wo"/> may be of a wider type than the rest; the tokens are of that type then.
/// </summary>
public sealed class T5LayerFF : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "DenseReluDense")]
    private readonly ModuleDict<LoraLinear> _dense;

    /// <summary>Declares the layers.</summary>
    /// <param name="config">The encoder's configuration.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public T5LayerFF(T5Config config, Device device, ScalarType dtype)
        : base(nameof(T5LayerFF))
    {
        ArgumentNullException.ThrowIfNull(config);
        LoraLinear Inner() => new(config.DModel, config.DFf, false, device, dtype);
        _dense = nn.ModuleDict(
            ("wi_0", Inner()), ("wi_1", Inner()), ("wo", new LoraLinear(config.DFf, config.DModel, false, device, dtype)));
        LayerNorm = new Layers.RMSNorm(config.DModel, config.LayerNormEpsilon, device, dtype);
        RegisterComponents();
    }

    /// <summary>Gate, published as <c>DenseReluDense.wi_0</c>.</summary>
    public LoraLinear Wi0 => _dense["wi_0"];

    /// <summary>What is gated, published as <c>DenseReluDense.wi_1</c>.</summary>
    public LoraLinear Wi1 => _dense["wi_1"];

    /// <summary>Output, published as <c>DenseReluDense.wo</c>.</summary>
    public LoraLinear Wo => _dense["wo"];

    /// <summary>Norm before the feed-forward.</summary>
    [field: ComponentName(Name = "layer_norm")]
    public Layers.RMSNorm LayerNorm { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var normalised = LayerNorm.call(input);
        var inner = Pointwise.GatedGelu(Wi0.call(normalised), Wi1.call(normalised));
        return input.add(Wo.call(inner.to(Wo.Weight.dtype)), KeptScalar.One).MoveToOuterDisposeScope();
    }
}
