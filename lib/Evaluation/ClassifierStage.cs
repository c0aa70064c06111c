using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// One resolution of <see cref="AttributeClassifier"/>: a residual block, then halving, <c>[B, C, H, W] → [B, C', H/2, W/2]</c>.
/// </summary>
internal sealed class ClassifierStage : nn.Module<Tensor, Tensor>
{
    /// <summary>Channels in a group of the norms.</summary>
    public const int GroupWidth = 8;

    public ClassifierStage(long inChannels, long outChannels, Device device, ScalarType dtype)
        : base(nameof(ClassifierStage))
    {
        Norm1 = new GroupNorm(inChannels / GroupWidth, inChannels, 1e-5, device, dtype);
        Conv1 = new Conv2d(inChannels, inChannels, 3, 1, 1, device, dtype);
        Norm2 = new GroupNorm(inChannels / GroupWidth, inChannels, 1e-5, device, dtype);
        Conv2 = new Conv2d(inChannels, outChannels, 3, 2, 1, device, dtype);
        Shortcut = new Conv2d(inChannels, outChannels, 1, 1, 0, device, dtype, bias: false);
        RegisterComponents();
    }

    /// <summary>Norm before the first convolution.</summary>
    [field: ComponentName(Name = "norm1")]
    public GroupNorm Norm1 { get; }

    /// <summary>First convolution.</summary>
    [field: ComponentName(Name = "conv1")]
    public Conv2d Conv1 { get; }

    /// <summary>Norm before the second convolution.</summary>
    [field: ComponentName(Name = "norm2")]
    public GroupNorm Norm2 { get; }

    /// <summary>Second convolution, which halves the sides.</summary>
    [field: ComponentName(Name = "conv2")]
    public Conv2d Conv2 { get; }

    /// <summary>Joins the halved input.</summary>
    [field: ComponentName(Name = "shortcut")]
    public Conv2d Shortcut { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var hidden = Conv1.call(nn.functional.silu(Norm1.call(input)));
        hidden = Conv2.call(nn.functional.silu(Norm2.call(hidden)));
        return Shortcut.call(nn.functional.avg_pool2d(input, 2)).add(hidden, KeptScalar.One).MoveToOuterDisposeScope();
    }
}
