using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Peft;

/// <summary>What is odd about the factors of a file that loads.</summary>
internal static class LoraWarnings
{
    /// <summary>Layers whose alpha switches them off or turns them round.</summary>
    /// <param name="alphas">The layers' keys, each with its alpha.</param>
    /// <param name="file">The file's path.</param>
    public static IEnumerable<string> Scales(IReadOnlyCollection<(string Key, double Alpha)> alphas, string file)
    {
        foreach (var (isOdd, effect) in new (Func<double, bool>, string)[]
        {
            (alpha => alpha == 0, "of 0 and have no effect"), (alpha => alpha < 0, "below 0 and do the opposite of what was trained"),
        })
        {
            string[] layers = [.. alphas.Where(layer => isOdd(layer.Alpha)).Select(layer => layer.Key)];
            if (layers.Length > 0)
                yield return $"{file}: {layers.Length} of {alphas.Count} layers have an alpha {effect}: {ShownText.Names(layers)}.";
        }
    }

    /// <summary>Magnitudes of zero alone, which switch a layer off.</summary>
    /// <param name="readers">What was read of the layers.</param>
    /// <param name="file">The file's path.</param>
    public static IEnumerable<string> Magnitudes(IEnumerable<LoraLayerReader> readers, string file)
    {
        string[] layers = [.. readers.Where(reader => reader.Parts.Variant == LoraVariant.Dora && reader.IsZero(LoraParts.Magnitude))
            .Select(reader => reader.Target.Key)];
        if (layers.Length > 0)
            yield return $"{file}: all magnitudes of {ShownText.Names(layers)} are 0: the layers give their bias alone.";
    }

    /// <summary>
    /// The mark of sd-scripts' split_qkv: queries, keys and values were trained apart and saved as one layer, with an alpha that was not
    /// multiplied by 3.
    /// </summary>
    /// <param name="layers">What was read of the layers, each with its factor.</param>
    /// <param name="file">The file's path.</param>
    public static IEnumerable<string> SplitQkv(IEnumerable<(LoraLayerReader Reader, double Factor)> layers, string file)
    {
        var all = layers.Where(layer => layer.Reader.Alpha is not null && layer.Reader.Target.Component == "transformer")
            .ToLookup(layer => layer.Reader.IsOneOfThree, layer => layer.Factor);
        double[] split = [.. all[true].Distinct()], others = [.. all[false].Distinct()];
        if (split.Length == 1 && others.Length == 1 && Math.Abs((split[0] * 3) - others[0]) < 1e-6 * Math.Abs(others[0]))
        {
            yield return $"{file}: queries, keys and values act with a third of the other layers' factor. sd-scripts' split_qkv saves "
                + "files like this, and every program that reads them, sd-scripts as well, applies a third of what was trained.";
        }
    }
}
