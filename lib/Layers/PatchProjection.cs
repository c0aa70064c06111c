using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// Patches to tokens: a convolution whose step is its side, so that each patch is a row of a linear layer, which can carry updates.
/// Letters: B rows, C channels, H and W of the input, p patch side, D width.
/// </summary>
public sealed class PatchProjection : AdaptedLayer
{
    private readonly long _patchSize;

    /// <summary>Declares the layer; see <see cref="WeightedLayer"/> for how it gets its values.</summary>
    /// <param name="inChannels">C.</param>
    /// <param name="width">D.</param>
    /// <param name="patchSize">p.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public PatchProjection(long inChannels, long width, long patchSize, Device device, ScalarType dtype)
        : base(nameof(PatchProjection), [width, inChannels, patchSize, patchSize], bias: true, device, dtype) => _patchSize = patchSize;

    /// <summary>Projects every patch.</summary>
    /// <param name="input"><c>[B, C, H, W]</c>.</param>
    /// <returns><c>[B, D, H/p, W/p]</c>.</returns>
    public override Tensor forward(Tensor input)
    {
        if (!Adapters.Any(update => update.Scale != 0))
            return nn.functional.conv2d(input, Weight, Bias, [_patchSize, _patchSize]);
        using var scope = NewDisposeScope();
        long rows = input.shape[2] / _patchSize, columns = input.shape[3] / _patchSize;
        // A patch's numbers in the order of the weight's: channel, row, column.
        var patches = input.reshape(input.shape[0], -1, rows, _patchSize, columns, _patchSize).permute(0, 2, 4, 1, 3, 5);
        return Rows(patches.reshape(-1, InFeatures)).view(input.shape[0], rows, columns, OutFeatures).permute(0, 3, 1, 2)
            .MoveToOuterDisposeScope();
    }
}
