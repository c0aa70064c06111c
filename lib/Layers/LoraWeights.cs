using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// One adapter's low-rank update of one linear layer (Hu et al. 2021, arXiv:2106.09685): the layer computes
/// <c>W x + b + Scale · B (A x)</c>. The tensors belong to the adapter, not to the layer, and are not among its parameters.
/// </summary>
public sealed class LoraWeights
{
    /// <summary>Creates the update.</summary>
    /// <param name="adapter">The adapter's name.</param>
    /// <param name="a">Down projection <c>A</c>, <c>[rank, in]</c>.</param>
    /// <param name="b">Up projection <c>B</c>, <c>[out, rank]</c>.</param>
    /// <param name="scale">Factor of the update: alpha / rank times the adapter's weight.</param>
    public LoraWeights(string adapter, Tensor a, Tensor b, double scale)
    {
        Adapter = adapter;
        A = a;
        B = b;
        Scale = scale;
    }

    /// <summary>The adapter's name.</summary>
    public string Adapter { get; }

    /// <summary>Down projection, <c>[rank, in]</c>.</summary>
    public Tensor A { get; }

    /// <summary>Up projection, <c>[out, rank]</c>.</summary>
    public Tensor B { get; }

    /// <summary>The same matrices in the element type that the models compute in, kept by the adapter; null where there are none.</summary>
    public (Tensor A, Tensor B)? Copy { get; set; }

    /// <summary>Factor of the update; 0 switches it off.</summary>
    public double Scale { get; set; }

    /// <summary>The matrices in an element type, converted in the current dispose scope where needed.</summary>
    /// <param name="dtype">The element type.</param>
    public (Tensor A, Tensor B) In(ScalarType dtype)
    {
        if (A.dtype == dtype)
            return (A, B);
        return Copy is { } copy && copy.A.dtype == dtype ? copy : (A.to(dtype), B.to(dtype));
    }
}
