using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>Makes one layer of those that are one in the original layout: queries, keys and values.</summary>
internal static class LoraJoin
{
    /// <summary>
    /// The one layer. Three with one down projection keep it, with their up projections one below the other; else the down projections are
    /// one below the other and the up projections a block diagonal, with the sum of the ranks.
    /// </summary>
    /// <param name="layers">The layers; one alone that is no third is only turned to the original order of its rows.</param>
    /// <exception cref="LabException">Magnitudes of some of the three are missing.</exception>
    public static LoraContent Of(IReadOnlyList<LoraContent> layers)
    {
        var first = layers[0];
        var part = first.Component == LoraNames.Transformer ? LoraNames.Original(first.Path)!.Value.Part : KeyPart.Whole;
        if (part == KeyPart.Whole)
            return first;
        if (part == KeyPart.SwappedHalves)
            return Swapped(first);
        var thirds = new LoraContent?[3];
        foreach (var layer in layers)
            thirds[LoraNames.Original(layer.Path)!.Value.Part - KeyPart.FirstThird] = layer;
        var withMagnitudes = layers.Count(layer => layer.Variant == LoraVariant.Dora);
        if (withMagnitudes is 1 or 2 || (withMagnitudes > 0 && layers.Count < 3))
        {
            throw new LabException(
                $"{first.Key} is a DoRA, and not all of the queries, keys and values that are one layer in this layout are: the magnitudes "
                + "of the others are those of the model's own weight. diffusers' layout holds it.");
        }

        return layers.Count == 3 && HaveOneDown(layers) ? Shared(thirds!) : Diagonal(thirds, first);
    }

    /// <summary>Whether layers that are one in the original layout have different ranks or factors.</summary>
    /// <param name="layers">All layers.</param>
    public static bool Uneven(IEnumerable<LoraContent> layers) => layers
        .Where(layer => layer.Component == LoraNames.Transformer && layer.Variant is LoraVariant.Lora or LoraVariant.Dora)
        .GroupBy(layer => LoraNames.Original(layer.Path)?.Name)
        .Any(group => group.Select(layer => (layer.Rank, layer.Factor)).Distinct().Count() > 1);

    private static LoraContent Swapped(LoraContent layer)
    {
        var (rows, width) = (layer[LoraParts.B]!.shape[0], layer[LoraParts.A]!.shape[1]);
        return rows != 2 * width ? layer : layer with
        {
            Tensors = [.. layer.Named.Select(entry => entry.Name == LoraParts.A ? entry.Value : RowHalves.Swap(entry.Value))],
        };
    }

    private static bool HaveOneDown(IReadOnlyList<LoraContent> layers) => layers.Skip(1).All(
        layer => layer.Rank == layers[0].Rank && layer.Factor == layers[0].Factor
            && layer[LoraParts.A]!.eq(layers[0][LoraParts.A]!).all().item<bool>());

    private static LoraContent Shared(LoraContent[] thirds) => thirds[0] with
    {
        Tensors = [.. thirds[0].Named.Select(
            entry => entry.Name == LoraParts.A ? entry.Value : cat([.. thirds.Select(third => third[entry.Name]!)]))],
    };

    private static LoraContent Diagonal(LoraContent?[] thirds, LoraContent first)
    {
        LoraContent[] present = [.. thirds.OfType<LoraContent>()];
        if (present.Any(layer => layer.Factor != first.Factor))
            (thirds, first) = ([.. thirds.Select(third => third?.Folded())], first.Folded());
        var (a, b) = (first[LoraParts.A]!, first[LoraParts.B]!);
        Tensor[] downs = [.. thirds.Select(third => third?[LoraParts.A] ?? zeros_like(a))];
        Tensor[] ups = [.. thirds.Select(third => third?[LoraParts.B] ?? zeros_like(b))];
        var rank = (int)downs.Sum(down => down.shape[0]);
        List<(string, Tensor)> parts = [(LoraParts.A, cat(downs)), (LoraParts.B, block_diag(ups))];
        if (first.Variant == LoraVariant.Dora)
            parts.Add((LoraParts.Magnitude, cat([.. thirds.Select(third => third![LoraParts.Magnitude]!)])));
        return first with
        {
            Rank = rank,
            Alpha = first.Factor * rank,
            Parts = new([.. parts.Select(entry => (entry.Item1, entry.Item2.shape))]),
            Tensors = [.. parts.Select(entry => entry.Item2)],
        };
    }
}
