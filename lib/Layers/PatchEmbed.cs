using Dreambooth.Lab.Tensors;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// Cuts latents into patches and adds the position embedding, which is the centre crop of a stored square table, so that
/// any aspect ratio up to the table's side works. Letters: B rows, C latent channels, H and W of the latents, p patch
/// side, S = (H/p)(W/p) tokens, D width.
/// </summary>
public sealed class PatchEmbed : nn.Module<Tensor, Tensor>, IParameterOwner
{
    private readonly long _patchSize;
    private readonly long _tableSide;

    [ComponentName(Name = "pos_embed")]
    private Parameter _positions;

    /// <summary>Declares the layer.</summary>
    /// <param name="inChannels">C.</param>
    /// <param name="width">D.</param>
    /// <param name="patchSize">p.</param>
    /// <param name="tableSide">Side of the position table, in patches.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public PatchEmbed(long inChannels, long width, long patchSize, long tableSide, Device device, ScalarType dtype)
        : base(nameof(PatchEmbed))
    {
        _patchSize = patchSize;
        _tableSide = tableSide;
        Proj = new PatchProjection(inChannels, width, patchSize, device, dtype);
        _positions = WeightedLayer.Frozen(empty([1, tableSide * tableSide, width], dtype, device));
        RegisterComponents();
    }

    /// <summary>Patches to tokens.</summary>
    [field: ComponentName(Name = "proj")]
    public PatchProjection Proj { get; }

    /// <summary>The stored position table, <c>[1, side², D]</c>; never trained.</summary>
    public Parameter Positions => _positions;

    /// <inheritdoc/>
    public bool IsOnDemand { get; set; }

    /// <inheritdoc/>
    public void Assign(string name, Tensor value)
    {
        _positions = WeightedLayer.Replace(GetName(), name, name == "pos_embed" ? _positions : null, value);
        ConditionallyRegisterParameter(name, _positions);
    }

    /// <summary>The position embedding of latents of a given size.</summary>
    /// <param name="height">H, a multiple of p.</param>
    /// <param name="width">W, a multiple of p.</param>
    /// <returns><c>[1, S, D]</c>.</returns>
    /// <exception cref="ArgumentException">The latents are larger than the table or no multiple of the patch side.</exception>
    public Tensor CroppedPositions(long height, long width)
    {
        if (height % _patchSize != 0 || width % _patchSize != 0 || height / _patchSize > _tableSide || width / _patchSize > _tableSide)
            throw new ArgumentException(
                $"Latents of {height}×{width} do not fit: sides must be multiples of {_patchSize}, at most {_tableSide * _patchSize}.",
                nameof(height));
        using var scope = NewDisposeScope();
        long rows = height / _patchSize, columns = width / _patchSize;
        var table = _positions.view(1, _tableSide, _tableSide, -1);
        var crop = table.narrow(1, (_tableSide - rows) / 2, rows).narrow(2, (_tableSide - columns) / 2, columns);
        return crop.reshape(1, rows * columns, -1).MoveToOuterDisposeScope();
    }

    /// <summary>Embeds latents.</summary>
    /// <param name="input">Latents, <c>[B, C, H, W]</c>.</param>
    /// <returns>Tokens, row by row, <c>[B, S, D]</c>.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var tokens = Proj.call(input).flatten(2).transpose(1, 2);
        return tokens.add(CroppedPositions(input.shape[2], input.shape[3]), KeptScalar.One).contiguous().MoveToOuterDisposeScope();
    }
}
