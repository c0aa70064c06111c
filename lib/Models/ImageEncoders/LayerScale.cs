using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>A learned factor for each channel of a branch (Touvron et al. 2021, arXiv:2103.17239), <c>[..., D] → [..., D]</c>.</summary>
internal sealed class LayerScale : nn.Module<Tensor, Tensor>, IParameterOwner
{
    [ComponentName(Name = "lambda1")]
    private Parameter _factors;

    /// <summary>Declares the factors.</summary>
    /// <param name="width">D.</param>
    /// <param name="device">Where they live.</param>
    /// <param name="dtype">Their element type.</param>
    public LayerScale(int width, Device device, ScalarType dtype)
        : base(nameof(LayerScale))
    {
        _factors = WeightedLayer.Frozen(empty([width], dtype, device));
        RegisterComponents();
    }

    /// <inheritdoc/>
    public bool IsOnDemand { get; set; }

    /// <inheritdoc/>
    public void Assign(string name, Tensor value)
    {
        _factors = WeightedLayer.Replace(GetName(), name, name == "lambda1" ? _factors : null, value);
        ConditionallyRegisterParameter(name, _factors);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => input.mul(_factors);
}
