using System.Text.RegularExpressions;
using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// How the layouts of LoRA files call a layer: the one place that knows them. A name is a prefix, which says the model, and a path,
/// published or original, with dots or with underscores. Sources: kohya-ss/sd-scripts <c>networks/lora_sd3.py</c> (48d368f), ComfyUI
/// <c>comfy/lora.py</c> and <c>comfy/utils.py</c> (mmdit_to_diffusers), diffusers <c>loaders/lora_conversion_utils.py</c> (58eb52c).
/// </summary>
internal static partial class LoraNames
{
    /// <summary>The component whose layers the original layout names otherwise.</summary>
    public const string Transformer = "transformer";

    // Read in this order, and of two the last is written; the empty one is PEFT's, which names layers from the model's own root.
    private static readonly (string Prefix, string Component, LoraFileLayout Layout)[] Prefixes =
    [
        ("transformer.", Transformer, LoraFileLayout.Diffusers), ("text_encoder.", "text_encoder", LoraFileLayout.Diffusers),
        ("text_encoder_2.", "text_encoder_2", LoraFileLayout.Diffusers), ("text_encoder_3.", "text_encoder_3", LoraFileLayout.Diffusers),
        ("lora_unet_", Transformer, LoraFileLayout.Kohya), ("lora_te1_", "text_encoder", LoraFileLayout.Kohya),
        ("lora_te2_", "text_encoder_2", LoraFileLayout.Kohya), ("lora_te3_", "text_encoder_3", LoraFileLayout.Kohya),
        ("lora_transformer_", Transformer, LoraFileLayout.OneTrainer), ("lycoris_", Transformer, LoraFileLayout.Lycoris),
        ("model.diffusion_model.", Transformer, LoraFileLayout.Original), ("diffusion_model.", Transformer, LoraFileLayout.Original),
        ("text_encoders.clip_l.transformer.", "text_encoder", LoraFileLayout.Original),
        ("text_encoders.clip_g.transformer.", "text_encoder_2", LoraFileLayout.Original),
        ("text_encoders.t5xxl.transformer.", "text_encoder_3", LoraFileLayout.Original),
        (string.Empty, Transformer, LoraFileLayout.Peft),
    ];

    // The encoders' layers are called alike everywhere.
    private static readonly string[] ClipLayers =
    [
        .. new[] { "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj", "mlp.fc1", "mlp.fc2" }
            .Select(layer => "text_model.encoder.layers.{n}." + layer),
        "text_projection",
    ];

    private static readonly string[] T5Layers =
    [
        .. new[] { "q", "k", "v", "o" }.Select(layer => "encoder.block.{n}.layer.0.SelfAttention." + layer),
        .. new[] { "wi_0", "wi_1", "wo" }.Select(layer => "encoder.block.{n}.layer.1.DenseReluDense." + layer),
    ];

    // Each model's own: a transformer has no layer of an encoder's.
    private static readonly ILookup<(string Component, string Written), (string Path, KeyPart Part)> Paths = OriginalTransformer.Layers
        .SelectMany(layer => new[] { (layer.Published, layer.Published, KeyPart.Whole), (layer.Original, layer.Published, layer.Part) }
            .Distinct().Select(entry => (Transformer, entry.Item1, entry.Item2, entry.Item3)))
        .Concat(new[] { ("text_encoder", ClipLayers), ("text_encoder_2", ClipLayers), ("text_encoder_3", T5Layers) }
            .SelectMany(model => model.Item2.Select(layer => (model.Item1, layer, layer, KeyPart.Whole))))
        .ToLookup(entry => (entry.Item1, entry.Item2.Replace('.', '_')), entry => (entry.Item3, entry.Item4));

    [GeneratedRegex("^(?<stem>joint_blocks|transformer_blocks|text_model_encoder_layers|encoder_block)_(?<number>[0-9]{1,4})_")]
    private static partial Regex Numbered { get; }

    /// <summary>Finds the layers that a name in a file means.</summary>
    /// <param name="written">The name, without the tensor's own end and PEFT's <c>base_model.model.</c></param>
    /// <returns>The layers and which part of the written one each is; none where the name is not known.</returns>
    public static IReadOnlyList<LoraTarget> Find(string written)
    {
        foreach (var (prefix, component, layout) in Prefixes)
        {
            if (!written.StartsWith(prefix, StringComparison.Ordinal))
                continue;
            var path = written[prefix.Length..].Replace('.', '_');
            var number = string.Empty;
            if (Numbered.Match(path) is { Success: true } match)
            {
                number = match.Groups["number"].Value;
                path = $"{match.Groups["stem"].Value}_{{n}}_{path[match.Length..]}";
            }

            var found = Paths[(component, path)].Select(layer => new LoraTarget(
                component, layer.Path.Replace("{n}", number, StringComparison.Ordinal), layer.Part,
                IsOriginal(path) && layout == LoraFileLayout.Peft ? LoraFileLayout.Original : layout)).ToList();
            if (found.Count > 0)
                return found;
        }

        return [];
    }

    /// <summary>What stands before a layer's path in a layout.</summary>
    /// <param name="component">The model.</param>
    /// <param name="layout">A layout that has names of that model.</param>
    public static string Prefix(string component, LoraFileLayout layout) =>
        Prefixes.Last(entry => entry.Component == component && entry.Layout == layout).Prefix;

    /// <summary>The original name of a transformer's layer, with the part that the layer is of it; null where there is none.</summary>
    /// <param name="path">The published path.</param>
    public static (string Name, KeyPart Part)? Original(string path)
    {
        var number = Block(path);
        var template = number is null ? path : $"transformer_blocks.{{n}}.{path[$"transformer_blocks.{number}.".Length..]}";
        return OriginalTransformer.Layers.Where(layer => layer.Published == template)
            .Select(layer => ((string, KeyPart)?)(layer.Original.Replace("{n}", number, StringComparison.Ordinal), layer.Part))
            .FirstOrDefault();
    }

    private static bool IsOriginal(string path) =>
        OriginalTransformer.Layers.Any(layer => layer.Original.Replace('.', '_') == path && layer.Original != layer.Published);

    private static string? Block(string path) =>
        path.StartsWith("transformer_blocks.", StringComparison.Ordinal) ? path.Split('.')[1] : null;
}
