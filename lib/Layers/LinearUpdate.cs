using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// What one adapter adds to one linear layer: the seam between a layer and the variants of LoRA. The tensors belong to the adapter, not to
/// the layer, and are not among its parameters. Letters: N rows of the input.
/// </summary>
/// <param name="adapter">The adapter's name.</param>
/// <param name="scale">Factor of the update.</param>
public abstract class LinearUpdate(string adapter, double scale)
{
    /// <summary>The adapter's name.</summary>
    public string Adapter { get; } = adapter;

    /// <summary>Factor of the update, its alpha / rank times the adapter's weight; 0 switches it off.</summary>
    public double Scale { get; set; } = scale;

    /// <summary>What is trained, in the order of the adapter's buffer.</summary>
    public abstract IReadOnlyList<Tensor> Tensors { get; }

    /// <summary>Rank of the update.</summary>
    public abstract int Rank { get; }

    /// <summary>Shape of the weight that it changes, <c>(out, in)</c>.</summary>
    public abstract (long Out, long In) Shape { get; }

    /// <summary>Whether gradients are asked for.</summary>
    internal bool IsTrained => Tensors.Any(tensor => tensor.requires_grad);

    /// <summary>The layer's number in the adapter, from 0.</summary>
    internal int Number { get; set; }

    /// <summary>Leaves out elements of the update's input while it is trained; null for none.</summary>
    internal InputDropout? Dropout { get; set; }

    /// <summary>The factor with which the update is part of the layer's weight; 0 where it is not.</summary>
    internal double FusedScale { get; set; }

    /// <summary>What <see cref="RowFactors"/> gave when the update was fused; null for 1.</summary>
    internal Tensor? FusedRows { get; set; }

    /// <summary>Whether <see cref="AddTo"/> reads the layer's product <c>x Wᵀ</c>.</summary>
    internal virtual bool ReadsProduct => false;

    /// <summary>Adds the update to a layer's output.</summary>
    /// <param name="output"><c>[N, out]</c>; may be changed.</param>
    /// <param name="x">The layer's input, <c>[N, in]</c>.</param>
    /// <param name="product"><c>x Wᵀ</c>, <c>[N, out]</c>; null where nothing asks for it.</param>
    /// <param name="layer">The layer.</param>
    /// <returns><c>[N, out]</c>.</returns>
    internal virtual Tensor AddTo(Tensor output, Tensor x, Tensor? product, AdaptedLayer layer) =>
        output.addmm_(Dropout?.Apply(x, this) ?? x, Change().to(x.dtype).t(), beta: 1, alpha: (float)Scale);

    /// <summary>The change of the weight by the matrices alone, for a factor of 1; Float32, <c>[out, in]</c>.</summary>
    internal abstract Tensor Change();

    /// <summary>The change of the bias for a factor of 1, <c>[out]</c>; null for none.</summary>
    internal virtual Tensor? ChangeOfBias() => null;

    /// <summary>By what the rows of <c>W + scale · Change()</c> are multiplied, <c>[out, 1]</c>; null for 1.</summary>
    /// <param name="weight">W, without other updates, Float32, <c>[out, in]</c>.</param>
    /// <param name="scale">Factor of the update.</param>
    internal virtual Tensor? RowFactors(Tensor weight, double scale) => null;
}
