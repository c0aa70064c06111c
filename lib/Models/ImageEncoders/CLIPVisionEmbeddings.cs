using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>
/// Cuts a picture into patches, puts the class token before them and adds their positions, <c>[B, 3, H, W] → [B, S, D]</c> with
/// S = 1 + (H / p)(W / p), p the side of a patch.
/// </summary>
internal sealed class CLIPVisionEmbeddings : nn.Module<Tensor, Tensor>, IParameterOwner
{
    [ComponentName(Name = "class_embedding")]
    private Parameter _classEmbedding;

    /// <summary>Declares the layers.</summary>
    /// <param name="config">The encoder's configuration.</param>
    /// <param name="device">Where the parameters live.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public CLIPVisionEmbeddings(CLIPVisionConfig config, Device device, ScalarType dtype)
        : base(nameof(CLIPVisionEmbeddings))
    {
        var side = config.ImageSize / config.PatchSize;
        _classEmbedding = WeightedLayer.Frozen(empty([config.HiddenSize], dtype, device));
        PatchEmbedding = new Layers.Conv2d(3, config.HiddenSize, config.PatchSize, config.PatchSize, 0, device, dtype, bias: false);
        PositionEmbedding = new Layers.Embedding(1 + (side * side), config.HiddenSize, device, dtype);
        RegisterComponents();
    }

    /// <summary>Patches to tokens.</summary>
    [field: ComponentName(Name = "patch_embedding")]
    public Layers.Conv2d PatchEmbedding { get; }

    /// <summary>Vectors of the places.</summary>
    [field: ComponentName(Name = "position_embedding")]
    public Layers.Embedding PositionEmbedding { get; }

    /// <inheritdoc/>
    public bool IsOnDemand { get; set; }

    /// <inheritdoc/>
    public void Assign(string name, Tensor value)
    {
        _classEmbedding = WeightedLayer.Replace(GetName(), name, name == "class_embedding" ? _classEmbedding : null, value);
        ConditionallyRegisterParameter(name, _classEmbedding);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var map = PatchEmbedding.call(input);
        var patches = map.flatten(2).transpose(1, 2);
        var first = _classEmbedding.view(1, 1, -1).expand(input.shape[0], 1, -1);
        var places = PositionTable.For(PositionEmbedding.Weight, (int)map.shape[2], (int)map.shape[3], antialias: false);
        return cat([first, patches], 1).add(places, KeptScalar.One).MoveToOuterDisposeScope();
    }
}
