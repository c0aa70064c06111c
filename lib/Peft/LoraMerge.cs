using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// Makes one LoRA of several: the sum of their changes, by matrices put beside each other, whose rank is the sum of theirs.
/// </summary>
internal static class LoraMerge
{
    /// <summary>The sum of LoRAs.</summary>
    /// <param name="loras">The LoRAs, each with its weight; they stay as they are. Those of weight 0 are left out.</param>
    /// <returns>
    /// A LoRA that acts as all of them at their weights, up to the rounding of Float32. A layer that one alone changes keeps its variant.
    /// </returns>
    /// <exception cref="LabException">Layers have other sizes, or a DoRA shares a layer with another.</exception>
    public static LoraContents Of(IReadOnlyList<(LoraContents Contents, double Weight)> loras)
    {
        using var noGradients = no_grad();
        using var outer = NewDisposeScope();
        var layers = loras.Where(lora => lora.Weight != 0)
            .SelectMany(lora => lora.Contents.Layers.Select(layer => Weighted(layer, lora.Weight)))
            .GroupBy(layer => layer.Key).Select(group => Sum([.. group])).ToList();
        if (layers.Count == 0)
            throw new LabException("Every LoRA has the weight 0: there is nothing to write.");
        return LoraContents.Of(layers);
    }

    /// <summary>What merging changes, one sentence each.</summary>
    /// <param name="loras">What is merged.</param>
    public static IEnumerable<string> Warnings(IReadOnlyList<(LoraContents Contents, double Weight)> loras)
    {
        var layers = loras.Where(lora => lora.Weight != 0).SelectMany(lora => lora.Contents.Layers).ToLookup(layer => layer.Key);
        var others = layers.Count(group => group.Count() > 1
            && group.Any(layer => layer.Variant is LoraVariant.Loha or LoraVariant.Lokr));
        if (others > 0)
        {
            yield return $"{LoraExport.Layers(others)} of LoHa or LoKr beside another became plain LoRA, of a rank that may be that of the "
                + "whole weight; --rank or --energy makes it smaller.";
        }
    }

    private static LoraContent Weighted(LoraContent layer, double weight) =>
        weight == 1 ? layer : layer with { Alpha = layer.Alpha * weight, Factor = layer.Factor * weight };

    private static LoraContent Sum(IReadOnlyList<LoraContent> layers)
    {
        var first = layers[0];
        if (layers.Count == 1)
            return first with { Tensors = [.. first.Tensors.Select(tensor => tensor.clone())] };
        if (layers.FirstOrDefault(layer => layer.Size != first.Size) is { } other)
        {
            throw new LabException(
                $"{first.Key} is {first.Size.In} → {first.Size.Out} in one LoRA and {other.Size.In} → {other.Size.Out} in another: they "
                + "are of other models.");
        }

        if (layers.Any(layer => layer.Variant == LoraVariant.Dora))
            throw new LabException(
                $"{first.Key} is a DoRA beside another update, whose sum no LoRA is: the magnitudes are those of the model's weight with "
                + "the one alone. Merge them into a model with --into.");
        // One factor for all stays a factor, and no value is rounded.
        var factor = layers.All(layer => layer.Factor == first.Factor) ? first.Factor : 1;
        using var scope = NewDisposeScope();
        var changes = layers.Select(layer => LoraFactors.Of(layer).Times(layer.Factor == factor ? 1 : layer.Factor / factor));
        var sum = changes.Aggregate((one, two) => one.Plus(two));
        var scale = first with { Parts = new([]), Tensors = [], Rank = 1, Alpha = factor, Factor = factor, Dropout = 0 };
        var merged = LoraResize.Plain(scale, sum);
        var bias = Bias(layers, factor);
        if (bias is not null)
        {
            merged = merged with
            {
                Parts = new([.. merged.Parts.Entries, (LoraParts.Bias, bias.shape)]),
                Tensors = [.. merged.Tensors, bias],
            };
        }

        return merged with { Tensors = [.. merged.Tensors.Select(tensor => tensor.MoveToOuterDisposeScope())] };
    }

    private static Tensor? Bias(IEnumerable<LoraContent> layers, double factor)
    {
        Tensor? sum = null;
        foreach (var layer in layers)
        {
            if (layer[LoraParts.Bias] is not { } bias)
                continue;
            using var scalar = KeptScalar.Once(layer.Factor / factor);
            var own = bias.to(ScalarType.Float64).mul(scalar);
            sum = sum is null ? own : sum.add(own, KeptScalar.One);
        }

        return sum?.to(ScalarType.Float32);
    }
}
