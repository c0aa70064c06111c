using Dreambooth.Lab.Layers;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>The feed-forward of a CLIP layer, <c>[B, S, D] → [B, S, D]</c>.</summary>
public sealed class CLIPMLP : nn.Module<Tensor, Tensor>
{
    private readonly bool _quick;

    /// <summary>Declares the layers.</summary>
    /// <param name="config">The encoder's configuration.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public CLIPMLP(CLIPTextConfig config, Device device, ScalarType dtype)
        : this(CLIPLayerSizes.Of(config), device, dtype)
    {
    }

    internal CLIPMLP(CLIPLayerSizes sizes, Device device, ScalarType dtype)
        : base(nameof(CLIPMLP))
    {
        _quick = sizes.HasQuickGelu;
        Fc1 = new LoraLinear(sizes.Width, sizes.InnerWidth, true, device, dtype);
        Fc2 = new LoraLinear(sizes.InnerWidth, sizes.Width, true, device, dtype);
        RegisterComponents();
    }

    /// <summary>D to the inner width.</summary>
    [field: ComponentName(Name = "fc1")]
    public LoraLinear Fc1 { get; }

    /// <summary>Inner width to D.</summary>
    [field: ComponentName(Name = "fc2")]
    public LoraLinear Fc2 { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var inner = Fc1.call(input);
        var active = _quick ? Pointwise.QuickGelu(inner) : nn.functional.gelu(inner);
        return Fc2.call(active).MoveToOuterDisposeScope();
    }
}
