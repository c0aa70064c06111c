using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>What distinguishes two LoRAs, whatever their layouts: layers, changes, metadata.</summary>
/// <param name="Layers">The layers that both change, those that differ most first.</param>
/// <param name="OnlyFirst">Keys of layers that the first alone changes.</param>
/// <param name="OnlySecond">Keys of layers that the second alone changes.</param>
/// <param name="Metadata">Entries of the headers that differ, each with both texts; null for none.</param>
internal sealed record LoraDifference(
    IReadOnlyList<LoraLayerDifference> Layers, IReadOnlyList<string> OnlyFirst, IReadOnlyList<string> OnlySecond,
    IReadOnlyList<(string Key, string? First, string? Second)> Metadata)
{
    /// <summary>The norm of all differences as a part of the larger LoRA's norm; layers that one alone has count whole.</summary>
    public required double Relative { get; init; }

    /// <summary>The cosine between all changes taken as one vector; null where one is zero.</summary>
    public required double? Cosine { get; init; }

    /// <summary>Whether both act alike: the same layers, none of which differs by more than a part.</summary>
    /// <param name="tolerance">The part, as 1e-6.</param>
    public bool IsWithin(double tolerance) =>
        OnlyFirst.Count + OnlySecond.Count == 0 && Layers.All(layer => layer.Largest <= tolerance);

    /// <summary>Compares two LoRAs.</summary>
    /// <param name="first">The first.</param>
    /// <param name="second">The second.</param>
    /// <param name="cancellation">Ends the comparison between two layers.</param>
    /// <exception cref="LabException">They are of models of other sizes.</exception>
    public static LoraDifference Between(LoraContents first, LoraContents second, CancellationToken cancellation)
    {
        var one = first.Layers.ToDictionary(layer => layer.Key, StringComparer.Ordinal);
        var two = second.Layers.ToDictionary(layer => layer.Key, StringComparer.Ordinal);
        var both = one.Keys.Where(two.ContainsKey).Select(key => (First: one[key], Second: two[key])).ToList();
        string[] misfits = [.. both.Select(pair => LoraLayerDifference.Misfit(pair.First, pair.Second)).OfType<string>()];
        if (misfits.Length > 0)
            throw new LabException($"The two are of models of other sizes: {misfits[0]} ({misfits.Length} such layers).");
        var layers = both.Select(pair =>
        {
            cancellation.ThrowIfCancellationRequested();
            return LoraLayerDifference.Of(pair.First, pair.Second);
        }).OrderByDescending(layer => layer.Largest).ThenBy(layer => layer.Key, StringComparer.Ordinal).ToList();
        LoraContent[] onlyFirst = [.. first.Layers.Where(layer => !two.ContainsKey(layer.Key))];
        LoraContent[] onlySecond = [.. second.Layers.Where(layer => !one.ContainsKey(layer.Key))];
        var (firstOnly, secondOnly) = (onlyFirst.Sum(Square), onlySecond.Sum(Square));
        var firstSquare = layers.Sum(layer => layer.FirstNorm * layer.FirstNorm) + firstOnly;
        var secondSquare = layers.Sum(layer => layer.SecondNorm * layer.SecondNorm) + secondOnly;
        var dot = layers.Sum(layer => (layer.Cosine ?? 0) * layer.FirstNorm * layer.SecondNorm);
        var difference = Math.Sqrt(layers.Sum(layer => layer.Norm * layer.Norm) + firstOnly + secondOnly);
        return new LoraDifference(
            layers, [.. onlyFirst.Select(layer => layer.Key)], [.. onlySecond.Select(layer => layer.Key)],
            [.. Texts(first.Metadata, second.Metadata)])
        {
            Relative = difference == 0 ? 0 : difference / Math.Sqrt(Math.Max(firstSquare, secondSquare)),
            Cosine = firstSquare > 0 && secondSquare > 0 ? dot / Math.Sqrt(firstSquare) / Math.Sqrt(secondSquare) : null,
        };
    }

    private static double Square(LoraContent layer)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var norm = LoraFactors.Of(layer).Times(layer.Factor).Norm();
        return norm * norm;
    }

    private static IEnumerable<(string Key, string? First, string? Second)> Texts(
        IReadOnlyDictionary<string, string> first, IReadOnlyDictionary<string, string> second)
    {
        foreach (var key in first.Keys.Union(second.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            string? one = first.GetValueOrDefault(key), two = second.GetValueOrDefault(key);
            if (one == two)
                continue;
            if (Fields(one) is not { } fields || Fields(two) is not { } others)
            {
                yield return (key, one, two);
                continue;
            }

            // Of two JSON objects, the fields that differ.
            foreach (var (field, value, other) in Texts(fields, others))
                yield return ($"{key}: {field}", value, other);
        }
    }

    private static Dictionary<string, string>? Fields(string? text)
    {
        try
        {
            return text is not null && JsonField.Parse(text, string.Empty) is { IsObject: true } whole
                ? whole.Entries().ToDictionary(entry => entry.Key, entry => entry.Value.Element.GetRawText(), StringComparer.Ordinal)
                : null;
        }
        catch (LabException)
        {
            return null;
        }
    }
}
