using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>
/// The last block's text and the output are modulated by shift and scale in the original layout, by scale and shift as published.
/// </summary>
internal static class RowHalves
{
    /// <summary>The second half of the rows, then the first (<see cref="KeyPart.SwappedHalves"/>).</summary>
    /// <param name="values"><c>[N, …]</c>, N even.</param>
    public static Tensor Swap(Tensor values)
    {
        var half = values.shape[0] / 2;
        return cat([values.narrow(0, half, half), values.narrow(0, 0, half)], dim: 0);
    }
}
