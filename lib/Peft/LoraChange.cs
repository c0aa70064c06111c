using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>Measures how much an adapter changes its models: the size of every layer's update.</summary>
public static class LoraChange
{
    /// <summary>Measures every layer of an adapter.</summary>
    /// <param name="adapter">
    /// An adapter on its models; it stays as it is. Updates that are fused are taken out of the weights that it is measured against.
    /// </param>
    public static IReadOnlyList<LoraLayerChange> Measure(LoraAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        if (adapter.Layers.FirstOrDefault(layer => layer.Linear.Weight.device.type == TorchSharp.DeviceType.META) is { } absent)
            throw new LabException(
                $"The weights of {absent.Component} are not in memory, which this needs: load the pipeline with memory mode fast, or hold "
                + "them meanwhile.");
        using var noGradients = no_grad();
        return [.. adapter.Layers.Select(layer => Measure(layer, adapter.Weight))];
    }

    /// <summary>Sums layers by block: the norm of all their updates, beside the norm of all their weights.</summary>
    /// <param name="layers">What <see cref="Measure(LoraAdapter)"/> gave.</param>
    /// <param name="component">The model whose blocks are wanted.</param>
    /// <returns>One entry for each block in order; its path is <c>block N</c>.</returns>
    public static IReadOnlyList<LoraLayerChange> ByBlock(IEnumerable<LoraLayerChange> layers, string component)
    {
        ArgumentNullException.ThrowIfNull(layers);
        return
        [
            .. layers.Where(layer => layer.Component == component && layer.Block is not null).GroupBy(layer => layer.Block)
                .OrderBy(group => group.Key)
                .Select(
                    group => new LoraLayerChange(
                        component, $"block {group.Key}", group.Key, Norm(group.Select(layer => layer.UpdateNorm)),
                        Norm(group.Select(layer => layer.WeightNorm)))),
        ];
    }

    private static LoraLayerChange Measure(LoraLayer layer, double weight)
    {
        using var scope = NewDisposeScope();
        var original = layer.Linear.Original().to(ScalarType.Float32);
        return new LoraLayerChange(
            layer.Component, layer.Path, Block(layer.Path), Norm(layer.Update, original, layer.Factor * weight),
            original.norm().item<float>());
    }

    /// <summary>The Frobenius norm of an update without magnitudes.</summary>
    internal static double Norm(LinearUpdate update, double scale)
    {
        if (update is not LoraWeights lora)
            return Math.Abs(scale) * update.Change().norm().item<float>();
        // ‖B A‖² is the sum of (BᵀB) ∘ (A Aᵀ), two small matrices of the rank's size.
        var (a, b) = (lora.A.to(ScalarType.Float32), lora.B.to(ScalarType.Float32));
        var square = (matmul(b.t(), b) * matmul(a, a.t())).sum().item<float>();
        return Math.Abs(scale) * Math.Sqrt(Math.Max(square, 0));
    }

    private static double Norm(LinearUpdate update, Tensor weight, double scale)
    {
        if (scale == 0)
            return 0;
        if (update.RowFactors(weight, scale) is { } rows)
            return weight.add(update.Change().mul(KeptScalar.Of(scale)), KeptScalar.One).mul(rows).sub(weight).norm().item<float>();
        return Norm(update, scale);
    }

    internal static int? Block(string path) =>
        path.Split('.')
            .Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (int?)null)
            .FirstOrDefault(number => number is not null);

    private static double Norm(IEnumerable<double> norms) => Math.Sqrt(norms.Sum(norm => norm * norm));
}
