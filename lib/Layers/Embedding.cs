using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>A table of vectors looked up by index, <c>[...] int64 → [..., width]</c>.</summary>
public sealed class Embedding : WeightedLayer
{
    /// <summary>Declares the table.</summary>
    /// <param name="count">Number of rows; indices are 0 to <paramref name="count"/> − 1.</param>
    /// <param name="width">Size of a vector.</param>
    /// <param name="device">Where the table lives.</param>
    /// <param name="dtype">Element type of the table.</param>
    public Embedding(long count, long width, Device device, ScalarType dtype)
        : base(nameof(Embedding), [count, width], null, device, dtype)
    {
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var flat = input.reshape(-1);
        using var rows = Weight.index_select(0, flat);
        return rows.view([.. input.shape, Weight.shape[1]]);
    }
}
