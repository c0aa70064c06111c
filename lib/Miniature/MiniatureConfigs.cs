using System.Text.Json;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.TextEncoders;

namespace Dreambooth.Lab.Miniature;

/// <summary>Writes the miniature's configuration files as the published folders have them.</summary>
internal static class MiniatureConfigs
{
    /// <summary>Writes <c>model_index.json</c> and every component's config.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="recipe">Sizes, with vocabularies and the autoencoder's shift and scale.</param>
    public static void Write(string folder, MiniatureRecipe recipe)
    {
        Save(folder, "model_index.json", Index());
        Save(folder, "transformer/config.json", Config("SD3Transformer2DModel", recipe.Transformer));
        Save(folder, "vae/config.json", Config("AutoencoderKL", recipe.Vae));
        Save(folder, "scheduler/scheduler_config.json", Config("FlowMatchEulerDiscreteScheduler", recipe.Scheduler));
        Save(folder, "text_encoder/config.json", Clip(recipe.Clip));
        Save(folder, "text_encoder_2/config.json", Clip(recipe.Clip2));
        var t5 = Config("T5EncoderModel", recipe.T5, "t5");
        t5["is_gated_act"] = true;
        t5["dense_act_fn"] = "gelu_new";
        t5["is_encoder_decoder"] = true;
        t5["pad_token_id"] = 0;
        t5["eos_token_id"] = 1;
        Save(folder, "text_encoder_3/config.json", t5);
    }

    private static JsonObject Index()
    {
        var index = new JsonObject { ["_class_name"] = "StableDiffusion3Pipeline" };
        foreach (var (component, library, kind) in new[]
        {
            ("scheduler", "diffusers", "FlowMatchEulerDiscreteScheduler"), ("text_encoder", "transformers", "CLIPTextModelWithProjection"),
            ("text_encoder_2", "transformers", "CLIPTextModelWithProjection"), ("text_encoder_3", "transformers", "T5EncoderModel"),
            ("tokenizer", "transformers", "CLIPTokenizer"), ("tokenizer_2", "transformers", "CLIPTokenizer"),
            ("tokenizer_3", "transformers", "T5TokenizerFast"), ("transformer", "diffusers", "SD3Transformer2DModel"),
            ("vae", "diffusers", "AutoencoderKL"),
        })
            index[component] = new JsonArray(library, kind);
        return index;
    }

    // What is left out is taken for the published vocabulary's ids, of which this one has none.
    private static JsonObject Clip(CLIPTextConfig sizes)
    {
        var config = Config("CLIPTextModelWithProjection", sizes, "clip_text_model");
        config["bos_token_id"] = sizes.EosTokenId - 1;
        config["pad_token_id"] = sizes.EosTokenId;
        return config;
    }

    private static JsonObject Config<T>(string kind, T sizes, string? modelType = null)
    {
        var config = new JsonObject();
        if (modelType is null)
            config["_class_name"] = kind;
        else
            (config["architectures"], config["model_type"]) = (new JsonArray(kind), modelType);
        foreach (var (key, value) in JsonSerializer.SerializeToNode(sizes, JsonFile.Options)!.AsObject())
            config[key] = value?.DeepClone();
        return config;
    }

    private static void Save(string folder, string name, JsonObject content) =>
        AtomicFile.WriteAllText(Path.Combine(folder, name), content.ToJsonString(JsonFile.Options) + "\n");
}
