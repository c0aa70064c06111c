using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// Adaptive layer normalisation of a transformer stream (Peebles and Xie 2022, arXiv:2212.09748): the conditioning
/// vector gives shift, scale and gate for attention and for the feed-forward; in Stable Diffusion 3.5's dual blocks also
/// those of a second attention. Letters: B rows, S tokens, D width.
/// </summary>
public sealed class AdaLayerNormZero : nn.Module<Tensor, Tensor, AdaLayerNormZeroOutput>
{
    private readonly bool _dual;

    /// <summary>Declares the layer.</summary>
    /// <param name="width">D.</param>
    /// <param name="dual">Whether the block has a second attention (nine chunks instead of six).</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public AdaLayerNormZero(long width, bool dual, Device device, ScalarType dtype)
        : base(nameof(AdaLayerNormZero))
    {
        _dual = dual;
        Linear = new LoraLinear(width, (dual ? 9 : 6) * width, true, device, dtype);
        RegisterComponents();
    }

    /// <summary>Conditioning to chunks, <c>D → 6 D</c> or <c>9 D</c>.</summary>
    [field: ComponentName(Name = "linear")]
    public LoraLinear Linear { get; }

    /// <summary>Normalises and modulates the stream.</summary>
    /// <param name="x">Tokens, <c>[B, S, D]</c>.</param>
    /// <param name="conditioning">Timestep and pooled text, <c>[B, D]</c>.</param>
    public override AdaLayerNormZeroOutput forward(Tensor x, Tensor conditioning)
    {
        using var scope = NewDisposeScope();
        var chunks = Linear.call(nn.functional.silu(conditioning)).chunk(_dual ? 9 : 6, dim: 1);
        var modulated = _dual
            ? AdaptiveNorm.Modulate(x, (Shift: chunks[0], Scale: chunks[1]), (Shift: chunks[6], Scale: chunks[7]))
            : AdaptiveNorm.Modulate(x, (Shift: chunks[0], Scale: chunks[1]));
        var output = new AdaLayerNormZeroOutput(
            modulated[0],
            chunks[2],
            chunks[3],
            chunks[4],
            chunks[5],
            _dual ? modulated[1] : null,
            _dual ? chunks[8] : null);
        output.MoveToOuterDisposeScope();
        return output;
    }
}
