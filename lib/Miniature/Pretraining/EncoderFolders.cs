using System.Text.Json;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>Writes small encoders as model folders in the published layout, in float16.</summary>
internal static class EncoderFolders
{
    /// <summary>Writes config, preprocessing and weights of an encoder of DINO's architecture, and the folder's manifest.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="recipe">Sizes.</param>
    /// <param name="weights">By their published names.</param>
    public static void WriteDino(string folder, EncoderRecipe recipe, IEnumerable<KeyValuePair<string, Tensor>> weights)
    {
        WriteDinoConfigs(folder, recipe.Vit, EncoderRecipe.VitProcessor(recipe.ImageSize));
        SaveWeights(folder, weights);
        MiniatureFolder.WriteManifest(folder);
    }

    /// <summary>Writes config, preprocessing and weights of a whole CLIP model; its tokenizer and the manifest are the caller's.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="recipe">Sizes and temperature.</param>
    /// <param name="text">The text encoder's sizes.</param>
    /// <param name="weights">By their published names.</param>
    public static void WriteClip(
        string folder, EncoderRecipe recipe, CLIPTextConfig text, IReadOnlyList<KeyValuePair<string, Tensor>> weights)
    {
        using var scale = tensor((float)-Math.Log(recipe.TextTemperature));
        var textConfig = Sizes(text, "CLIPTextModel", "clip_text_model");
        (textConfig["bos_token_id"], textConfig["pad_token_id"]) = (text.EosTokenId - 1, text.EosTokenId);
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray("CLIPModel"),
            ["model_type"] = "clip",
            ["projection_dim"] = recipe.Width,
            ["logit_scale_init_value"] = -Math.Log(recipe.TextTemperature),
            ["text_config"] = textConfig,
            ["vision_config"] = Sizes(recipe.ClipVision, "CLIPVisionModel", "clip_vision_model"),
        };
        Save(folder, "config.json", config);
        Save(folder, "preprocessor_config.json", Processor(EncoderRecipe.ClipProcessor(recipe.ImageSize), "CLIPImageProcessor"));
        SaveWeights(folder, [.. weights, KeyValuePair.Create("logit_scale", scale)]);
    }

    /// <summary>Writes config and preprocessing of an encoder of DINO's architecture.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="sizes">The encoder's.</param>
    /// <param name="processor">How pictures are prepared.</param>
    public static void WriteDinoConfigs(string folder, ViTConfig sizes, ImageProcessorConfig processor)
    {
        var config = Sizes(sizes, "ViTModel");
        // What only the other forms have.
        foreach (var name in (string[])["mlp_ratio", "num_register_tokens", "use_swiglu_ffn"])
            config.Remove(name);
        Save(folder, "config.json", config);
        Save(folder, "preprocessor_config.json", Processor(processor, "ViTImageProcessor"));
    }

    /// <summary>Writes config and preprocessing of CLIP's image encoder alone.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="sizes">The encoder's.</param>
    /// <param name="processor">How pictures are prepared.</param>
    public static void WriteClipVisionConfigs(string folder, CLIPVisionConfig sizes, ImageProcessorConfig processor)
    {
        Save(folder, "config.json", Sizes(sizes, "CLIPVisionModelWithProjection", "clip_vision_model"));
        Save(folder, "preprocessor_config.json", Processor(processor, "CLIPImageProcessor"));
    }

    private static JsonObject Sizes<T>(T sizes, string kind, string? modelType = null)
    {
        var config = new JsonObject { ["architectures"] = new JsonArray(kind) };
        if (modelType is not null)
            config["model_type"] = modelType;
        // What is not set is left out: transformers takes no null for a number.
        foreach (var (key, value) in JsonSerializer.SerializeToNode(sizes, JsonFile.Options)!.AsObject())
        {
            if (value is not null)
                config[key] = value.DeepClone();
        }

        return config;
    }

    private static JsonObject Processor(ImageProcessorConfig config, string kind)
    {
        JsonObject Square() => new() { ["height"] = config.Height, ["width"] = config.Width };
        static JsonArray Channels(IReadOnlyList<double> values) => [.. values.Select(value => (JsonNode)value)];
        var file = new JsonObject
        {
            ["do_convert_rgb"] = true,
            ["do_normalize"] = true,
            ["do_rescale"] = true,
            ["do_resize"] = true,
            ["image_mean"] = Channels(config.ImageMean),
            ["image_processor_type"] = kind,
            ["image_std"] = Channels(config.ImageStd),
            ["resample"] = (int)config.Resample,
            ["rescale_factor"] = config.RescaleFactor,
            ["size"] = config.ShortestEdge is { } edge ? new JsonObject { ["shortest_edge"] = edge } : Square(),
        };
        if (config.ShortestEdge is not null)
            (file["do_center_crop"], file["crop_size"]) = (true, Square());
        return file;
    }

    private static void SaveWeights(string folder, IEnumerable<KeyValuePair<string, Tensor>> weights)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        SafetensorsWriter.Save(
            Path.Combine(folder, "model.safetensors"),
            weights.Select(entry => KeyValuePair.Create(entry.Key, entry.Value.detach().to(ScalarType.Float16, CPU))),
            new Dictionary<string, string> { ["format"] = "pt" });
    }

    private static void Save(string folder, string name, JsonObject content) =>
        AtomicFile.WriteAllText(Path.Combine(folder, name), content.ToJsonString(JsonFile.Options) + "\n");
}
