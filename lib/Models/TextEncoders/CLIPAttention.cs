using Dreambooth.Lab.Layers;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>
/// Self-attention of a CLIP layer, <c>[B, S, D] → [B, S, D]</c>: causal in the text encoder, where a token sees itself and those before it;
/// of all tokens in the image encoder.
/// </summary>
public sealed class CLIPAttention : nn.Module<Tensor, Tensor>
{
    private readonly long _heads;
    private readonly bool _isCausal;

    /// <summary>Declares the layers.</summary>
    /// <param name="config">The encoder's configuration.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public CLIPAttention(CLIPTextConfig config, Device device, ScalarType dtype)
        : this(CLIPLayerSizes.Of(config), device, dtype)
    {
    }

    internal CLIPAttention(CLIPLayerSizes sizes, Device device, ScalarType dtype)
        : base(nameof(CLIPAttention))
    {
        (_heads, _isCausal) = (sizes.Heads, sizes.IsCausal);
        LoraLinear Projection() => new(sizes.Width, sizes.Width, true, device, dtype);
        QProj = Projection();
        KProj = Projection();
        VProj = Projection();
        OutProj = Projection();
        RegisterComponents();
    }

    /// <summary>Queries.</summary>
    [field: ComponentName(Name = "q_proj")]
    public LoraLinear QProj { get; }

    /// <summary>Keys.</summary>
    [field: ComponentName(Name = "k_proj")]
    public LoraLinear KProj { get; }

    /// <summary>Values.</summary>
    [field: ComponentName(Name = "v_proj")]
    public LoraLinear VProj { get; }

    /// <summary>Output projection.</summary>
    [field: ComponentName(Name = "out_proj")]
    public LoraLinear OutProj { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => Run(input, input.shape[1]);

    /// <summary>The attention of the first tokens alone, which look at all.</summary>
    /// <param name="input"><c>[B, S, D]</c>.</param>
    /// <param name="first">F, how many tokens are needed, 1 to S.</param>
    /// <returns><c>[B, F, D]</c>.</returns>
    internal Tensor Run(Tensor input, long first)
    {
        using var scope = NewDisposeScope();
        var attended = nn.functional.scaled_dot_product_attention(
            Heads(QProj.call(input.narrow(1, 0, first))), Heads(KProj.call(input)), Heads(VProj.call(input)), is_casual: _isCausal);
        return OutProj.call(attended.transpose(1, 2).flatten(2)).MoveToOuterDisposeScope();
    }

    private Tensor Heads(Tensor tokens) => tokens.view(tokens.shape[0], tokens.shape[1], _heads, -1).transpose(1, 2);
}
