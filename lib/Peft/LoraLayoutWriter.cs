using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// A LoRA in the layouts of other programs. Names and traps: <see cref="LoraNames"/>. What one of them cannot express is told in a
/// warning; a part without which the pictures would change is refused.
/// </summary>
internal static class LoraLayoutWriter
{
    /// <summary>The tensors in diffusers' layout.</summary>
    /// <param name="layers">The updates.</param>
    public static IEnumerable<KeyValuePair<string, Tensor>> Diffusers(IEnumerable<LoraContent> layers) =>
        layers.Select(WithoutRank).SelectMany(layer => layer.Named
            .Select(entry => KeyValuePair.Create($"{layer.Key}.{entry.Name}", entry.Value)).Concat(AlphaOf(layer, layer.Key)));

    /// <summary>The tensors in PEFT's layout; of the transformer alone, for a folder of PEFT's is one model's.</summary>
    /// <param name="layers">The updates.</param>
    public static IEnumerable<KeyValuePair<string, Tensor>> Peft(IEnumerable<LoraContent> layers) => layers
        .Where(layer => layer.Component == LoraNames.Transformer)
        .SelectMany(layer => layer.Named.Select(entry => KeyValuePair.Create($"base_model.model.{layer.Path}.{entry.Name}", entry.Value)));

    /// <summary>The tensors in the layout of sd-scripts.</summary>
    /// <param name="layers">The updates.</param>
    public static IEnumerable<KeyValuePair<string, Tensor>> Kohya(IReadOnlyCollection<LoraContent> layers) =>
        Original(layers, isKohya: true);

    /// <summary>The tensors under the original names of Stable Diffusion 3, as ComfyUI has them.</summary>
    /// <param name="layers">The updates.</param>
    public static IEnumerable<KeyValuePair<string, Tensor>> ComfyUI(IReadOnlyCollection<LoraContent> layers) =>
        Original(layers, isKohya: false);

    /// <summary>What LyCORIS' variants have instead of metadata: an alpha for each layer.</summary>
    /// <param name="layer">The update.</param>
    /// <param name="name">The layer's name.</param>
    public static IEnumerable<KeyValuePair<string, Tensor>> AlphaOf(LoraContent layer, string name) =>
        layer.Variant is LoraVariant.Loha or LoraVariant.Lokr
            ? [KeyValuePair.Create($"{name}.alpha", tensor((float)(layer.Factor * layer.Rank)))]
            : [];

    // Where tensors tell no rank, the file tells no factor either: readers of these layouts leave the alpha of two whole factors out.
    private static LoraContent WithoutRank(LoraContent layer) => layer.IsWhole ? layer.Folded() : layer;

    private static IEnumerable<KeyValuePair<string, Tensor>> Original(IReadOnlyCollection<LoraContent> layers, bool isKohya)
    {
        foreach (var layer in layers.Where(layer => layer.Variant is LoraVariant.Loha or LoraVariant.Lokr).Select(WithoutRank))
        {
            // LyCORIS names layers as they are published; fused ones would have another rank.
            var name = layer.Component == LoraNames.Transformer
                ? LoraNames.Prefix(layer.Component, LoraFileLayout.Lycoris) + Underscored(layer.Path)
                : Named(layer.Component, layer.Path, isKohya);
            foreach (var (part, value) in layer.Named)
                yield return new($"{name}.{part}", value);
            foreach (var alpha in AlphaOf(layer, name))
                yield return alpha;
        }

        var pairs = layers.Where(layer => layer.Variant is LoraVariant.Lora or LoraVariant.Dora).ToList();
        if (pairs.Find(layer => layer[LoraParts.Bias] is not null) is { } biased)
        {
            throw new LabException(
                $"{biased.Key} has a bias of its own (PEFT's lora_bias), for which this layout has no place; diffusers' has.");
        }

        foreach (var group in pairs.GroupBy(layer => NameOf(layer, isKohya)))
        {
            foreach (var entry in Tensors(group.Key, LoraJoin.Of([.. group]), isKohya))
                yield return entry;
        }
    }

    // ComfyUI and sd-scripts both take alpha / rows of lora_down for the factor.
    private static IEnumerable<KeyValuePair<string, Tensor>> Tensors(string name, LoraContent layer, bool isKohya)
    {
        var (down, up) = (layer[LoraParts.A]!, layer[LoraParts.B]!);
        // The patches are a convolution there; 2 x 2 in every published model.
        var isPatch = layer.Path == "pos_embed.proj";
        yield return new($"{name}.lora_down.weight", isPatch ? down.view(down.shape[0], -1, 2, 2) : down);
        yield return new($"{name}.lora_up.weight", isPatch ? up.view(up.shape[0], -1, 1, 1) : up);
        yield return new($"{name}.alpha", tensor((float)(layer.Factor * layer.Rank)));
        if (layer[LoraParts.Magnitude] is { } magnitude)
            yield return new($"{name}.dora_scale", magnitude.view(-1, 1));
    }

    private static string NameOf(LoraContent layer, bool isKohya)
    {
        if (layer.Component != LoraNames.Transformer)
            return Named(layer.Component, layer.Path, isKohya);
        var name = LoraNames.Original(layer.Path)?.Name
            ?? throw new LabException($"{layer.Key} has no name in the original layout of Stable Diffusion 3; diffusers' layout holds it.");
        return Named(layer.Component, name, isKohya);
    }

    private static string Named(string component, string path, bool isKohya) =>
        LoraNames.Prefix(component, isKohya ? LoraFileLayout.Kohya : LoraFileLayout.Original) + (isKohya ? Underscored(path) : path);

    private static string Underscored(string path) => path.Replace('.', '_');
}
