using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// Adaptive layer normalisation with a scale and a shift only, in this order: of the model's output and of the last
/// block's text stream. Letters: B rows, S tokens, D width.
/// </summary>
public sealed class AdaLayerNormContinuous : nn.Module<Tensor, Tensor, Tensor>
{
    /// <summary>Declares the layer.</summary>
    /// <param name="width">D.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public AdaLayerNormContinuous(long width, Device device, ScalarType dtype)
        : base(nameof(AdaLayerNormContinuous))
    {
        Linear = new LoraLinear(width, 2 * width, true, device, dtype);
        RegisterComponents();
    }

    /// <summary>Conditioning to scale and shift, <c>D → 2 D</c>.</summary>
    [field: ComponentName(Name = "linear")]
    public LoraLinear Linear { get; }

    /// <summary>Normalises and modulates the stream.</summary>
    /// <param name="x">Tokens, <c>[B, S, D]</c>.</param>
    /// <param name="conditioning">Timestep and pooled text, <c>[B, D]</c>.</param>
    /// <returns>Tokens, <c>[B, S, D]</c>.</returns>
    public override Tensor forward(Tensor x, Tensor conditioning)
    {
        using var scope = NewDisposeScope();
        var chunks = Linear.call(nn.functional.silu(conditioning)).chunk(2, dim: 1);
        return AdaptiveNorm.Modulate(x, (Shift: chunks[1], Scale: chunks[0]))[0].MoveToOuterDisposeScope();
    }
}
