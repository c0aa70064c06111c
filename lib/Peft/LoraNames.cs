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
    private const string Transformer = "transformer";

    // In this order; the empty one is PEFT's, which names layers from the model's own root.
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

    /// <summary>The transformer's layers: as published, as originally named, and which part of the original one they are.</summary>
    public static IReadOnlyList<(string Published, string Original, KeyPart Part)> Layers { get; } =
    [
        ("pos_embed.proj", "x_embedder.proj", KeyPart.Whole),
        ("time_text_embed.timestep_embedder.linear_1", "t_embedder.mlp.0", KeyPart.Whole),
        ("time_text_embed.timestep_embedder.linear_2", "t_embedder.mlp.2", KeyPart.Whole),
        ("time_text_embed.text_embedder.linear_1", "y_embedder.mlp.0", KeyPart.Whole),
        ("time_text_embed.text_embedder.linear_2", "y_embedder.mlp.2", KeyPart.Whole),
        ("context_embedder", "context_embedder", KeyPart.Whole),
        .. Attention("x_block.attn.qkv", "attn.to_q", "attn.to_k", "attn.to_v"),
        .. Attention("x_block.attn2.qkv", "attn2.to_q", "attn2.to_k", "attn2.to_v"),
        .. Attention("context_block.attn.qkv", "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
        Block("norm1.linear", "x_block.adaLN_modulation.1"),
        Block("attn.to_out.0", "x_block.attn.proj"), Block("attn2.to_out.0", "x_block.attn2.proj"),
        Block("ff.net.0.proj", "x_block.mlp.fc1"), Block("ff.net.2", "x_block.mlp.fc2"),
        Block("norm1_context.linear", "context_block.adaLN_modulation.1", KeyPart.SwappedHalves),
        Block("attn.to_add_out", "context_block.attn.proj"),
        Block("ff_context.net.0.proj", "context_block.mlp.fc1"), Block("ff_context.net.2", "context_block.mlp.fc2"),
        ("norm_out.linear", "final_layer.adaLN_modulation.1", KeyPart.SwappedHalves),
        ("proj_out", "final_layer.linear", KeyPart.Whole),
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
    private static readonly ILookup<(string Component, string Written), (string Path, KeyPart Part)> Paths = Layers
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

    /// <summary>The original name of a transformer's layer, with the part that the layer is of it; null where there is none.</summary>
    /// <param name="path">The published path.</param>
    public static (string Name, KeyPart Part)? Original(string path)
    {
        var number = Block(path);
        var template = number is null ? path : $"transformer_blocks.{{n}}.{path[$"transformer_blocks.{number}.".Length..]}";
        return Layers.Where(layer => layer.Published == template)
            .Select(layer => ((string, KeyPart)?)(layer.Original.Replace("{n}", number, StringComparison.Ordinal), layer.Part))
            .FirstOrDefault();
    }

    private static bool IsOriginal(string path) =>
        Layers.Any(layer => layer.Original.Replace('.', '_') == path && layer.Original != layer.Published);

    private static string? Block(string path) =>
        path.StartsWith("transformer_blocks.", StringComparison.Ordinal) ? path.Split('.')[1] : null;

    private static (string Published, string Original, KeyPart Part)[] Attention(string original, string q, string k, string v) =>
        [Block(q, original, KeyPart.FirstThird), Block(k, original, KeyPart.SecondThird), Block(v, original, KeyPart.LastThird)];

    private static (string Published, string Original, KeyPart Part) Block(
        string published, string original, KeyPart part = KeyPart.Whole) =>
        ($"transformer_blocks.{{n}}.{published}", $"joint_blocks.{{n}}.{original}", part);
}
