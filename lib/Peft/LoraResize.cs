using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// Gives the layers of a LoRA other ranks, by singular value decomposition. A layer keeps its factor, so that its alpha changes with its
/// rank. LoHa and LoKr become plain LoRA; of DoRA the matrices change and the magnitudes stay.
/// </summary>
internal static class LoraResize
{
    // Of Float64, far below what Float32 matrices can tell apart.
    private const double Rounding = 1e-13;

    /// <summary>Resizes a LoRA.</summary>
    /// <param name="contents">The LoRA; it stays as it is.</param>
    /// <param name="choice">The ranks.</param>
    /// <param name="cancellation">Ends the work between two layers.</param>
    /// <returns>The new LoRA, and what became of each layer.</returns>
    public static (LoraContents Contents, IReadOnlyList<LoraResizedLayer> Layers) Run(
        LoraContents contents, LoraRankChoice choice, CancellationToken cancellation)
    {
        choice.Validate();
        using var noGradients = no_grad();
        using var outer = NewDisposeScope();
        var made = new List<LoraContent>();
        var report = new List<LoraResizedLayer>();
        foreach (var layer in contents.Layers)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var (resized, told) = Resized(layer, choice);
            made.Add(resized with { Tensors = [.. resized.Tensors.Select(tensor => tensor.MoveToOuterDisposeScope())] });
            report.Add(told);
        }

        return (LoraContents.Of(made), report);
    }

    /// <summary>What resizing changes beside ranks, one sentence each.</summary>
    /// <param name="layers">The layers as they were.</param>
    public static IEnumerable<string> Warnings(IReadOnlyList<LoraContent> layers)
    {
        var other = layers.Count(layer => layer.Variant is LoraVariant.Loha or LoraVariant.Lokr);
        if (other > 0)
            yield return $"{LoraExport.Layers(other)} of LoHa or LoKr became plain LoRA of the nearest change.";
        if (layers.Any(layer => layer.Variant == LoraVariant.Dora))
        {
            yield return "The magnitudes of DoRA stay; the errors are those of its matrices. What they make of the layer depends on the "
                + "model's weight.";
        }
    }

    /// <summary>An update of two matrices.</summary>
    /// <param name="like">The layer, whose factor, dropout, magnitudes and bias it keeps.</param>
    /// <param name="change">The matrices.</param>
    public static LoraContent Plain(LoraContent like, LoraFactors change)
    {
        List<(string Name, Tensor Value)> parts =
            [(LoraParts.A, change.Down.to(ScalarType.Float32)), (LoraParts.B, change.Up.to(ScalarType.Float32))];
        parts.AddRange(like.Named.Where(entry => entry.Name is LoraParts.Bias or LoraParts.Magnitude)
            .Select(entry => (entry.Name, entry.Value.clone())));
        var (rank, wasStabilised) = ((int)change.Inner, like.Factor == like.Alpha / Math.Sqrt(like.Rank) && like.Rank > 1);
        var alpha = like.Factor * (wasStabilised ? Math.Sqrt(rank) : rank);
        return like with
        {
            Parts = new([.. parts.Select(entry => (entry.Name, entry.Value.shape))]),
            Tensors = [.. parts.Select(entry => entry.Value.contiguous())],
            Rank = rank,
            Alpha = alpha,
            Factor = LoraConfig.FactorOf(alpha, rank, wasStabilised),
        };
    }

    // Matrices that cancel each other, as of a merge with opposite weights, leave rounding, which is no change.
    private static LoraSpectrum Rounded(LoraSpectrum spectrum, LoraContent layer)
    {
        if (layer.Variant is not (LoraVariant.Lora or LoraVariant.Dora))
            return spectrum;
        var factors = LoraFactors.Of(layer);
        var largest = factors.Up.norm().item<double>() * factors.Down.norm().item<double>();
        return spectrum.Norm <= Rounding * largest ? spectrum with { Values = zeros_like(spectrum.Values) } : spectrum;
    }

    private static (LoraContent Layer, LoraResizedLayer Told) Resized(LoraContent layer, LoraRankChoice choice)
    {
        var isPlain = layer.Variant is LoraVariant.Lora or LoraVariant.Dora;
        var spectrum = Rounded(LoraSpectrum.Of(layer), layer);
        var (norm, rank) = (spectrum.Norm * Math.Abs(layer.Factor), choice.Of(spectrum));
        if (!double.IsFinite(norm))
            throw new NonFiniteException($"The change of {layer.Key} is not finite.");
        if (isPlain && rank >= layer.Rank)
            return (layer with { Tensors = [.. layer.Tensors.Select(tensor => tensor.clone())] }, new(layer, layer.Rank, 0, norm));
        return (Plain(layer, spectrum.Keep(rank)), new(layer, rank, spectrum.ErrorAt(rank), norm));
    }
}
