using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>
/// Cuts a picture into patches, puts the class token before them and adds their positions; registers, which have none, come between.
/// <c>[B, 3, H, W] → [B, S, D]</c> with S = 1 + R + (H / p)(W / p), p the side of a patch, R the number of registers.
/// </summary>
internal sealed class ViTEmbeddings : nn.Module<Tensor, Tensor>, IParameterOwner
{
    private readonly bool _antialias;

    [ComponentName(Name = "cls_token")]
    private Parameter _classToken;

    [ComponentName(Name = "position_embeddings")]
    private Parameter _positions;

    [ComponentName(Name = "register_tokens")]
    private Parameter? _registers;

    [ComponentName(Name = "patch_embeddings")]
    private readonly ModuleDict<Layers.Conv2d> _patches;

    /// <summary>Declares the layers.</summary>
    /// <param name="config">The encoder's configuration.</param>
    /// <param name="device">Where the parameters live.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public ViTEmbeddings(ViTConfig config, Device device, ScalarType dtype)
        : base(nameof(ViTEmbeddings))
    {
        // As in the reference: the table shrinks with a wider filter only in the model with registers.
        _antialias = config.HasRegisters;
        var side = config.ImageSize / config.PatchSide;
        Parameter Tokens(int count) => WeightedLayer.Frozen(empty([1, count, config.HiddenSize], dtype, device));
        _classToken = Tokens(1);
        _positions = Tokens(1 + (side * side));
        _registers = config.HasRegisters ? Tokens(config.NumRegisterTokens) : null;
        _patches = nn.ModuleDict(
            ("projection", new Layers.Conv2d(3, config.HiddenSize, config.PatchSide, config.PatchSide, 0, device, dtype)));
        RegisterComponents();
    }

    /// <inheritdoc/>
    public bool IsOnDemand { get; set; }

    /// <inheritdoc/>
    public void Assign(string name, Tensor value)
    {
        ref var place = ref Place(name);
        place = WeightedLayer.Replace(GetName(), name, place, value);
        ConditionallyRegisterParameter(name, place);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var map = _patches["projection"].call(input);
        var patches = map.flatten(2).transpose(1, 2);
        var first = _classToken.expand(input.shape[0], -1, -1);
        var places = PositionTable.For(_positions.squeeze(0), (int)map.shape[2], (int)map.shape[3], _antialias);
        var tokens = cat([first, patches], 1).add(places, KeptScalar.One);
        if (_registers is not null)
        {
            var registers = _registers.expand(input.shape[0], -1, -1);
            tokens = cat([tokens.narrow(1, 0, 1), registers, tokens.narrow(1, 1, tokens.shape[1] - 1)], 1);
        }

        return tokens.MoveToOuterDisposeScope();
    }

    private ref Parameter? Place(string name)
    {
        switch (name)
        {
            case "cls_token":
                return ref _classToken!;
            case "position_embeddings":
                return ref _positions!;
            case "register_tokens":
                return ref _registers;
            default:
                throw new ArgumentException($"{GetName()} has no parameter '{name}'.", nameof(name));
        }
    }
}
