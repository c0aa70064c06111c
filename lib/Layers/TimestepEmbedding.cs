using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>Two linear layers with a SiLU between them, <c>[B, in] → [B, D]</c>: of the timestep and of the pooled text.</summary>
public sealed class TimestepEmbedding : nn.Module<Tensor, Tensor>
{
    /// <summary>Declares the layers.</summary>
    /// <param name="inFeatures">Width of the input.</param>
    /// <param name="width">D.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public TimestepEmbedding(long inFeatures, long width, Device device, ScalarType dtype)
        : base(nameof(TimestepEmbedding))
    {
        Linear1 = new LoraLinear(inFeatures, width, true, device, dtype);
        Linear2 = new LoraLinear(width, width, true, device, dtype);
        RegisterComponents();
    }

    /// <summary>Input to D.</summary>
    [field: ComponentName(Name = "linear_1")]
    public LoraLinear Linear1 { get; }

    /// <summary>D to D.</summary>
    [field: ComponentName(Name = "linear_2")]
    public LoraLinear Linear2 { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return Linear2.call(nn.functional.silu(Linear1.call(input))).MoveToOuterDisposeScope();
    }
}
