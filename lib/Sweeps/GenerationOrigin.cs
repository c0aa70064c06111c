using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Sweeps;

/// <summary>How the pictures of a <c>generate</c> run were generated, stored in each file. Without paths: pictures get shared.</summary>
internal sealed class GenerationOrigin
{
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly JsonObject _settings;
    private readonly GenerateConfig _config;
    private readonly (string Name, double Weight, string Sha256)[] _loras;

    /// <summary>Reads what decides the pictures.</summary>
    /// <param name="config">The options.</param>
    /// <param name="dtype">The precision that is computed in.</param>
    /// <param name="model">The model's folder or file.</param>
    /// <param name="loras">The LoRA, with the folder or file of each.</param>
    /// <exception cref="LabException">A LoRA cannot be read.</exception>
    public GenerationOrigin(GenerateConfig config, string dtype, string model, IReadOnlyList<(WeightedLora Lora, string Path)> loras)
    {
        var modelName = NameOf(model);
        string[] loraNames = [.. loras.Select(lora => NameOf(LoraFile.Resolve(lora.Path)))];
        Subject = SubjectOf(modelName, loraNames);
        _config = config;
        _loras = [.. loras.Zip(loraNames, (lora, name) => (
            Path.GetFileNameWithoutExtension(name), lora.Lora.Weight * config.LoraScale, SweepRunner.Hash(lora.Path)))];
        _settings = new JsonObject
        {
            ["model"] = modelName,
            ["lora"] = new JsonArray([.. loraNames.Select(name => JsonValue.Create(name))]),
            ["lora_scale"] = new JsonArray([.. _loras.Select(lora => JsonValue.Create(lora.Weight))]),
            ["lora_sha256"] = new JsonArray([.. _loras.Select(lora => JsonValue.Create(lora.Sha256))]),
            ["model_files"] = Path.Exists(model) ? ModelFingerprint.Of(model) : null,
            ["variant"] = config.Variant,
            ["without_t5"] = config.WithoutT5,
            ["dtype"] = dtype,
            ["negative_prompt"] = config.NegativePrompt,
            ["clip_skip"] = config.ClipSkip,
            ["max_sequence_length"] = config.MaxSequenceLength,
            ["steps"] = config.NumSteps,
            ["guidance"] = config.Guidance,
            ["width"] = config.Width,
            ["height"] = config.Height,
            ["skip_guidance_layers"] = config.SkipLayers is { } layers ? string.Join(',', layers) : null,
            ["skip_layer_guidance_scale"] = config.SkipLayers is null ? null : config.SkipLayerGuidanceScale,
            ["skip_layer_guidance_start"] = config.SkipLayers is null ? null : config.SkipLayerGuidanceStart,
            ["skip_layer_guidance_stop"] = config.SkipLayers is null ? null : config.SkipLayerGuidanceStop,
        };
        // Notes of exact pictures stay as they were.
        if (config.CacheInterval > 1)
            (_settings["cache_interval"], _settings["cache_order"]) = (config.CacheInterval, config.CacheOrder);
    }

    /// <summary>The model and the LoRA, for messages.</summary>
    public string Subject { get; }

    /// <summary>The text that a picture's file keeps; equal texts mean equal pictures, up to rounding.</summary>
    /// <param name="prompt">Its prompt.</param>
    /// <param name="seed">The seed of its prompt's noise.</param>
    /// <param name="index">Its place among the pictures of that noise, from 0.</param>
    public string NoteOf(string prompt, ulong seed, int index)
    {
        var note = new JsonObject { ["prompt"] = prompt, ["seed"] = seed, ["index"] = index };
        foreach (var (name, value) in _settings)
            note[name] = value?.DeepClone();
        return note.ToJsonString(Json);
    }

    /// <summary>
    /// The same as A1111 writes it and Civitai reads it; a LoRA by the first ten digits of its SHA-256 (Civitai's AutoV2).
    /// </summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="seed">The seed of its noise.</param>
    /// <param name="index">Its place among the pictures of that noise, from 0.</param>
    /// <param name="width">Its width in pixels.</param>
    /// <param name="height">Its height.</param>
    public string ParametersOf(string prompt, ulong seed, int index, int width, int height)
    {
        FormattableString settings =
            $"Steps: {_config.NumSteps}, Sampler: Euler, CFG scale: {_config.Guidance}, Seed: {seed}, Size: {width}x{height}";
        var text = string.Concat(_loras.Select(lora => FormattableString.Invariant($" <lora:{lora.Name}:{lora.Weight}>")));
        text = prompt + text + (_config.NegativePrompt is { } negative ? $"\nNegative prompt: {negative}" : string.Empty);
        text += $"\n{FormattableString.Invariant(settings)}, Model: {_settings["model"]}";
        if (index > 0)
            text += FormattableString.Invariant($", Batch size: {_config.NumImages}, Batch pos: {index}");
        var hashes = string.Join(", ", _loras.Select(lora => $"{lora.Name}: {lora.Sha256[..10]}"));
        return hashes.Length == 0 ? text : $"{text}, Lora hashes: \"{hashes}\"";
    }

    /// <summary>The model and the LoRA of an existing picture.</summary>
    /// <param name="note">What its file keeps, or null.</param>
    /// <returns>Null where that is no note of a <c>generate</c>.</returns>
    public static string? SubjectOf(string? note)
    {
        if (note is null)
            return null;
        try
        {
            var settings = JsonField.Parse(note, "the note");
            return SubjectOf(settings.Get("model").Text(), [.. settings.Get("lora").Items().Select(lora => lora.Text())]);
        }
        catch (LabException)
        {
            return null;
        }
    }

    private static string SubjectOf(string model, string[] loras) =>
        $"{model} {(loras.Length == 0 ? "without LoRA" : $"with {string.Join(" and ", loras)}")}";

    // A LoRA in a file of the default name is called by its folder.
    private static string NameOf(string path)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
        return name == LoraFile.DefaultName ? Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(path))) ?? name : name;
    }
}
