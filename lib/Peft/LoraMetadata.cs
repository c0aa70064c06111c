using System.Text.Json;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// What stands beside the matrices: the header entry <c>lora_adapter_metadata</c> of diffusers, with a prefix for each model, or PEFT's
/// <c>adapter_config.json</c>. Without either, alpha equals the rank, as diffusers assumes.
/// </summary>
internal sealed class LoraMetadata
{
    private const string HeaderKey = "lora_adapter_metadata";
    private const string PeftConfigName = "adapter_config.json";

    // What PEFT does to the model's own weights before it trains, so that the matrices alone are not the change.
    private static readonly string[] ChangedBases = ["pissa", "olora", "corda", "loftq", "lora_ga"];

    private readonly JsonField? _values;
    private readonly bool _isPefts;
    private readonly Dictionary<string, LoraPatterns> _alphas = [];

    private LoraMetadata(JsonField? values, bool isPefts) => (_values, _isPefts) = (values, isPefts);

    /// <summary>Reads a file's metadata.</summary>
    /// <param name="checkpoint">The file.</param>
    /// <param name="file">Its path; PEFT's configuration lies beside it.</param>
    /// <exception cref="LabException">It is damaged, or tells of a kind of adapter that is not known here.</exception>
    public static LoraMetadata Read(Checkpoint checkpoint, string file)
    {
        var beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, PeftConfigName);
        var isPefts = Path.GetFileName(file) == LoraFile.PeftName && File.Exists(beside);
        if (!checkpoint.Metadata.TryGetValue(HeaderKey, out var text) && !isPefts)
            return new LoraMetadata(null, isPefts: false);
        var values = text is null ? JsonField.ReadFile(beside) : JsonField.Parse(text, $"{file}: the header entry {HeaderKey}");
        RefuseOtherKinds(values);
        return new LoraMetadata(values, text is null);
    }

    /// <summary>The alpha of a layer.</summary>
    /// <param name="component">Prefix of its model.</param>
    /// <param name="path">Its path in the model.</param>
    /// <param name="written">Its path as the file writes it.</param>
    /// <param name="rank">Its rank, for where nothing is said.</param>
    /// <exception cref="LabException">An entry is no number, or a pattern is none.</exception>
    public double AlphaOf(string component, string path, string written, int rank)
    {
        if (_values is not { } values)
            return rank;
        var prefix = _isPefts ? string.Empty : $"{component}.";
        if (!_alphas.TryGetValue(prefix, out var patterns))
            _alphas[prefix] = patterns = LoraPatterns.Read(values.Find($"{prefix}alpha_pattern"));
        if (patterns.Find(_isPefts ? written : path) is { } own)
            return own;
        return values.Find($"{prefix}lora_alpha")?.Number() ?? rank;
    }

    /// <summary>Entries without effect.</summary>
    /// <param name="layers">The layers that are adapted: the model, the path in it, and the path as the file writes it.</param>
    /// <returns>A sentence for each.</returns>
    public IEnumerable<string> Warnings(IReadOnlyCollection<(string Component, string Path, string Written)> layers)
    {
        if (_values is not { } values)
            yield break;
        foreach (var model in layers.GroupBy(layer => _isPefts ? string.Empty : $"{layer.Component}."))
        {
            if (model.Key.Length > 0 && !values.Entries().Any(entry => entry.Key.StartsWith(model.Key, StringComparison.Ordinal)))
                yield return $"{values.Source} says nothing of {model.Key[..^1]}: alpha is taken for the rank there.";
            string[] paths = [.. model.Select(layer => _isPefts ? layer.Written : layer.Path)];
            foreach (var name in new[] { $"{model.Key}alpha_pattern", $"{model.Key}rank_pattern" })
            {
                foreach (var pattern in LoraPatterns.Read(values.Find(name)).WithoutMatch(paths))
                    yield return $"{values.Source}: {name} has '{pattern}', which matches none of the file's layers and has no effect.";
            }
        }
    }

    /// <summary>Writes the header entry of an adapter.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="header">The header's texts; one is added where alpha is not the rank.</param>
    public static void Add(LoraAdapter adapter, Dictionary<string, string> header)
    {
        if (adapter.Layers.All(layer => layer.Alpha == layer.Rank))
            return;
        var metadata = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var group in adapter.Layers.GroupBy(layer => layer.Component))
        {
            var first = group.First();
            metadata[$"{group.Key}.peft_type"] = "LORA";
            metadata[$"{group.Key}.r"] = first.Rank;
            metadata[$"{group.Key}.lora_alpha"] = Number(first.Alpha);
            metadata[$"{group.Key}.lora_dropout"] = 0.0;
            metadata[$"{group.Key}.bias"] = "none";
            metadata[$"{group.Key}.init_lora_weights"] = "gaussian";
            metadata[$"{group.Key}.target_modules"] = new JsonArray([.. group.Select(layer => (JsonNode?)JsonValue.Create(layer.Path))]);
            metadata[$"{group.Key}.rank_pattern"] = Pattern(group, layer => layer.Rank, first.Rank);
            metadata[$"{group.Key}.alpha_pattern"] = Pattern(group, layer => layer.Alpha, first.Alpha);
        }

        header[HeaderKey] = new JsonObject(metadata).ToJsonString(new(JsonFile.Options) { WriteIndented = true });
    }

    private static void RefuseOtherKinds(JsonField values)
    {
        foreach (var (name, value) in values.Entries())
        {
            var key = name[(name.LastIndexOf('.') + 1)..];
            var isOff = value.IsNull || value.Element.ValueKind == JsonValueKind.False;
            if (key.StartsWith("use_", StringComparison.Ordinal) && !isOff)
                throw new LabException($"{values.Source} asks for {Variant(key)} ({value.Path}), which is not known here; plain LoRA is.");
            var text = value.IsText ? ShownText.Line(value.Text(), 40) : string.Empty;
            if (key == "peft_type" && !value.Text().Equals("LORA", StringComparison.OrdinalIgnoreCase))
                throw new LabException($"{values.Source} says that this is no LoRA but {text} ({value.Path}), which is not known here.");
            if (key == "init_lora_weights" && ChangedBases.Any(kind => text.StartsWith(kind, StringComparison.OrdinalIgnoreCase)))
            {
                throw new LabException(
                    $"{values.Source}: {value.Path} is {text}, which changes the model's own weights before training, so that the " +
                    "LoRA alone generates something else. Convert it to plain LoRA with PEFT (path_initial_model_for_weight_conversion).");
            }
        }
    }

    private static string Variant(string key) => key switch
    {
        "use_rslora" => "rank-stabilised scaling",
        "use_dora" => "DoRA",
        _ => "another kind of LoRA",
    };

    private static JsonObject Pattern(IEnumerable<LoraLayer> layers, Func<LoraLayer, double> value, double usual) =>
        new(layers.Where(layer => value(layer) != usual)
            .Select(layer => new KeyValuePair<string, JsonNode?>(layer.Path, Number(value(layer)))));

    private static JsonValue Number(double value) => double.IsInteger(value) ? JsonValue.Create((long)value) : JsonValue.Create(value);
}
