using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// LoRA files in the form of diffusers and PEFT: keys <c>transformer.….lora_A.weight</c>, optionally the header entry
/// <c>lora_adapter_metadata</c> with rank and alpha. PEFT's own <c>adapter_model.safetensors</c> has these in
/// <c>adapter_config.json</c> beside it. Without either, alpha equals the rank, as diffusers assumes.
/// </summary>
public static partial class LoraFile
{
    /// <summary>The file name that diffusers and the reference script use.</summary>
    public const string DefaultName = "pytorch_lora_weights.safetensors";

    private const string MetadataKey = "lora_adapter_metadata";
    private const string Transformer = "transformer";
    private const string PeftName = "adapter_model.safetensors";
    private const string PeftConfigName = "adapter_config.json";

    /// <summary>Finds the file that a user's path means: the file itself, or the one LoRA file in a folder.</summary>
    /// <param name="path">A .safetensors file or a folder.</param>
    /// <exception cref="LabException">There is no such file, or the folder holds none or several.</exception>
    public static string Resolve(string path)
    {
        if (File.Exists(path))
            return path;
        if (!Directory.Exists(path))
            throw new LabException($"There is no LoRA file or folder at {path}.");
        var standard = Path.Combine(path, DefaultName);
        if (File.Exists(standard))
            return standard;
        var files = Directory.GetFiles(path, "*.safetensors").Order(StringComparer.Ordinal).ToArray();
        return files.Length == 1
            ? files[0]
            : throw new LabException($"{path} holds no {DefaultName} and {(files.Length == 0 ? "no other .safetensors file" : $"{files.Length} .safetensors files: name one of {string.Join(", ", files.Select(Path.GetFileName))}")}.");
    }

    /// <summary>Saves an adapter's matrices, in float32, and its rank and alpha where they differ.</summary>
    /// <param name="path">The file; written atomically.</param>
    /// <param name="adapter">The adapter.</param>
    public static void Save(string path, LoraAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var tensors = adapter.Layers.SelectMany(layer => new KeyValuePair<string, Tensor>[]
        {
            new($"{layer.Key}.lora_A.weight", layer.Weights.A.detach().to(ScalarType.Float32)),
            new($"{layer.Key}.lora_B.weight", layer.Weights.B.detach().to(ScalarType.Float32)),
        });
        var metadata = new Dictionary<string, string> { ["format"] = "pt" };
        if (adapter.Layers.Any(layer => layer.Alpha != layer.Rank))
            metadata[MetadataKey] = Describe(adapter);
        SafetensorsWriter.Save(path, tensors, metadata);
    }

    /// <summary>Loads a file as a new adapter on the models that it names.</summary>
    /// <param name="path">The file, or a folder that holds one.</param>
    /// <param name="name">The adapter's name.</param>
    /// <param name="components">The models that may be adapted.</param>
    /// <param name="device">Where the matrices go.</param>
    /// <param name="dtype">Element type of the matrices.</param>
    /// <param name="trainable">Whether gradients are kept.</param>
    /// <returns>The adapter and how the file fitted.</returns>
    /// <exception cref="LabException">No key fits the models, a shape is wrong, or half of a pair is missing.</exception>
    public static (LoraAdapter Adapter, LoraLoadReport Report) Load(
        string path, string name, IReadOnlyList<LoraComponent> components, Device device, ScalarType dtype, bool trainable = false)
    {
        ArgumentNullException.ThrowIfNull(components);
        var file = Resolve(path);
        using var checkpoint = Checkpoint.Open(file);
        var linears = components
            .SelectMany(component => component.Module.named_modules().Where(entry => entry.module is LoraLinear)
                .Select(entry => (component.Prefix, Path: entry.name, Linear: (LoraLinear)entry.module)))
            .ToDictionary(entry => $"{entry.Prefix}.{entry.Path}");
        var pairs = Pairs(checkpoint, file, linears.ContainsKey);
        var matched = linears.Where(entry => pairs.ContainsKey(entry.Key)).ToList();
        var unmatched = pairs.Where(pair => !linears.ContainsKey(pair.Key)).SelectMany(pair => new[] { pair.Value.A, pair.Value.B }).Order(StringComparer.Ordinal).ToList();
        if (matched.Count == 0)
            throw new LabException($"{file} fits none of the models ({string.Join(", ", components.Select(c => c.Prefix))}): {(pairs.Count == 0 ? "it holds no LoRA keys" : $"its keys look like {pairs.Values.First().A}")}; keys like transformer.transformer_blocks.0.attn.to_q.lora_A.weight are needed.");
        var alphas = Alphas(checkpoint, file);
        var slots = matched.Select(entry => Slot(entry.Key, entry.Value, pairs[entry.Key], checkpoint, file, alphas)).ToList();
        var adapter = LoraAdapter.Allocate(name, slots, device, dtype, trainable);
        using var noGradients = no_grad();
        foreach (var layer in adapter.Layers)
        {
            using var scope = NewDisposeScope();
            layer.Weights.A.copy_(checkpoint.Load(pairs[layer.Key].A));
            layer.Weights.B.copy_(checkpoint.Load(pairs[layer.Key].B));
        }

        var report = new LoraLoadReport(
            2 * pairs.Count, 2 * matched.Count,
            slots.GroupBy(slot => slot.Component).ToDictionary(group => group.Key, group => group.Count()), unmatched);
        return (adapter, report);
    }

    /// <summary>Loads a file that <see cref="Save"/> wrote into an adapter of the same layers and ranks.</summary>
    /// <param name="path">The file.</param>
    /// <param name="adapter">Its matrices are replaced.</param>
    /// <exception cref="LabException">The file holds other layers or ranks; nothing is changed then.</exception>
    public static void LoadInto(string path, LoraAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        using var checkpoint = Checkpoint.Open(path);
        var matrices = adapter.Layers
            .SelectMany(layer => new[] { (Name: $"{layer.Key}.lora_A.weight", Matrix: layer.Weights.A), (Name: $"{layer.Key}.lora_B.weight", Matrix: layer.Weights.B) })
            .ToDictionary(entry => entry.Name, entry => entry.Matrix, StringComparer.Ordinal);
        string[] wrong =
        [
            .. matrices.Keys.Except(checkpoint.Names).Select(name => $"{name} is missing"),
            .. checkpoint.Names.Except(matrices.Keys).Select(name => $"{name} is unexpected"),
            .. matrices.Where(entry => checkpoint.Entries.TryGetValue(entry.Key, out var stored) && !stored.Shape.SequenceEqual(entry.Value.shape))
                .Select(entry => $"{entry.Key} is [{string.Join(", ", checkpoint.Entries[entry.Key].Shape)}] instead of [{string.Join(", ", entry.Value.shape)}]"),
        ];
        if (wrong.Length > 0)
            throw new LabException($"{path} does not fit the adapter '{adapter.Name}': {string.Join("; ", wrong.Take(6))}{(wrong.Length > 6 ? $"; and {wrong.Length - 6} more" : string.Empty)}.");
        using var noGradients = no_grad();
        foreach (var (name, matrix) in matrices)
        {
            using var stored = checkpoint.Load(name);
            matrix.copy_(stored);
        }

        adapter.RefreshComputeCopy();
    }

    private static LoraAdapter.Slot Slot(
        string key, (string Prefix, string Path, LoraLinear Linear) layer, (string A, string B) pair, Checkpoint checkpoint, string file, Func<string, string, int, double> alphas)
    {
        long[] a = checkpoint.Entries[pair.A].Shape, b = checkpoint.Entries[pair.B].Shape;
        if (a.Length != 2 || b.Length != 2 || a[0] != b[1] || a[0] < 1 || a[1] != layer.Linear.InFeatures || b[0] != layer.Linear.OutFeatures)
            throw new LabException($"{file}: {pair.A} [{string.Join(", ", a)}] and {pair.B} [{string.Join(", ", b)}] do not fit {key}, a linear layer {layer.Linear.InFeatures} → {layer.Linear.OutFeatures}; the file was made for another model.");
        foreach (var name in new[] { pair.A, pair.B })
        {
            if (checkpoint.Entries[name].DType is not (ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16))
                throw new LabException($"{file}: {name} is {checkpoint.Entries[name].DType}; a floating-point type is needed.");
        }

        return new LoraAdapter.Slot(layer.Prefix, layer.Path, layer.Linear, (int)a[0], alphas(layer.Prefix, layer.Path, (int)a[0]));
    }

    // diffusers and PEFT write lora_A and lora_B, with or without the adapter's name; older files lora.down and lora.up.
    [GeneratedRegex(@"^(?:base_model\.model\.)?(?<layer>.+?)\.(?:lora_(?<half>A|B)(?:\.[A-Za-z_]\w*)??|lora(?:_linear_layer)?\.(?<old>down|up))\.weight$", RegexOptions.CultureInvariant)]
    private static partial Regex KeyPattern { get; }

    private static Dictionary<string, (string A, string B)> Pairs(Checkpoint checkpoint, string file, Func<string, bool> isLayer)
    {
        var pairs = new Dictionary<string, (string A, string B)>(StringComparer.Ordinal);
        foreach (var name in checkpoint.Names)
        {
            var match = KeyPattern.Match(name);
            if (!match.Success)
                continue;
            // PEFT alone names layers from the model's own root; a file of that kind is the transformer's.
            var layer = match.Groups["layer"].Value;
            if (!isLayer(layer) && isLayer($"{Transformer}.{layer}"))
                layer = $"{Transformer}.{layer}";
            var (a, b) = pairs.GetValueOrDefault(layer, (string.Empty, string.Empty));
            pairs[layer] = match.Groups["half"].Value == "A" || match.Groups["old"].Value == "down" ? (name, b) : (a, name);
        }

        var halves = pairs.Where(pair => pair.Value.A.Length == 0 || pair.Value.B.Length == 0).Select(pair => pair.Key).ToList();
        return halves.Count == 0
            ? pairs
            : throw new LabException($"{file} holds only one of the two matrices of {string.Join(", ", halves.Take(6))}.");
    }

    private static Func<string, string, int, double> Alphas(Checkpoint checkpoint, string file)
    {
        var beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, PeftConfigName);
        var isPefts = Path.GetFileName(file) == PeftName && File.Exists(beside);
        if (!checkpoint.Metadata.TryGetValue(MetadataKey, out var text) && !isPefts)
            return (_, _, rank) => rank;
        var source = text is null ? beside : $"{file}: the header entry {MetadataKey}";
        var metadata = ParseObject(text ?? File.ReadAllText(beside), source);
        return (component, path, rank) =>
        {
            var prefix = text is null ? string.Empty : $"{component}.";
            if (metadata[$"{prefix}use_rslora"]?.GetValueKind() == JsonValueKind.True)
                throw new LabException($"{source} asks for rank-stabilised scaling (use_rslora), which is not known here; only alpha / rank is.");
            var pattern = metadata[$"{prefix}alpha_pattern"] as JsonObject;
            var own = pattern?.FirstOrDefault(entry => path == entry.Key || path.EndsWith("." + entry.Key, StringComparison.Ordinal)).Value;
            if ((own ?? metadata[$"{prefix}lora_alpha"]) is not { } value)
                return rank;
            return value is JsonValue number && number.TryGetValue<double>(out var alpha) && double.IsFinite(alpha)
                ? alpha
                : throw new LabException($"{source} says that alpha of {component}.{path} is {value.ToJsonString()}; a number is needed.");
        };
    }

    private static JsonObject ParseObject(string json, string source)
    {
        try
        {
            return JsonNode.Parse(json)?.AsObject() ?? throw new LabException($"{source} is empty.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new LabException($"{source} is not a JSON object: {e.Message}", e);
        }
    }

    private static string Describe(LoraAdapter adapter)
    {
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
            metadata[$"{group.Key}.target_modules"] = new JsonArray([.. group.Select(layer => JsonValue.Create(layer.Path)).Cast<JsonNode?>()]);
            metadata[$"{group.Key}.rank_pattern"] = Pattern(group, layer => layer.Rank, first.Rank);
            metadata[$"{group.Key}.alpha_pattern"] = Pattern(group, layer => layer.Alpha, first.Alpha);
        }

        return new JsonObject(metadata).ToJsonString(new(JsonFile.Options) { WriteIndented = true });
    }

    private static JsonObject Pattern(IEnumerable<LoraLayer> layers, Func<LoraLayer, double> value, double usual) =>
        new(layers.Where(layer => value(layer) != usual)
            .Select(layer => new KeyValuePair<string, JsonNode?>(layer.Path, Number(value(layer)))));

    private static JsonValue Number(double value) => double.IsInteger(value) ? JsonValue.Create((long)value) : JsonValue.Create(value);
}
