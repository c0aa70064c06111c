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
    private const string RecipeName = "recipe.json";
    private const string HeaderKey = "lora_adapter_metadata";
    internal const string PeftConfigName = "adapter_config.json";

    // What PEFT does to the model's own weights before it trains, so that the matrices alone are not the change.
    private static readonly string[] ChangedBases = ["pissa", "olora", "corda", "loftq", "lora_ga"];

    private static readonly string[] KnownTypes = ["LORA", "LOHA", "LOKR"];

    // use_effective_conv2d is of convolutions' kernels, which are not adapted but for a patch's.
    private static readonly string[] KnownUses = ["use_rslora", "use_dora", "use_effective_conv2d"];

    private readonly JsonField? _values;
    private readonly bool _isPefts;
    private readonly string _file;
    private readonly Dictionary<string, LoraPatterns> _patterns = [];

    private LoraMetadata(string file, JsonField? values, bool isPefts) => (_file, _values, _isPefts) = (file, values, isPefts);

    /// <summary>Reads a file's metadata.</summary>
    /// <param name="checkpoint">The file.</param>
    /// <param name="file">Its path; PEFT's configuration lies beside it.</param>
    /// <exception cref="LabException">It is damaged, or tells of a kind of adapter that is not known here.</exception>
    public static LoraMetadata Read(Checkpoint checkpoint, string file)
    {
        var beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, PeftConfigName);
        var isPefts = Path.GetFileName(file) == LoraFile.PeftName && File.Exists(beside);
        if (!checkpoint.Metadata.TryGetValue(HeaderKey, out var text) && !isPefts)
            return new LoraMetadata(file, null, isPefts: false);
        var values = text is null ? JsonField.ReadFile(beside) : JsonField.Parse(text, $"{file}: the header entry {HeaderKey}");
        RefuseOtherKinds(values);
        return new LoraMetadata(file, values, text is null);
    }

    /// <summary>The rank of a layer, its alpha, and the factor that alpha means; what the tensors do not tell is in the settings.</summary>
    /// <param name="reader">What the file's tensors tell of the layer.</param>
    /// <exception cref="LabException">An entry is no number, or a pattern is none.</exception>
    public (int Rank, double Alpha, double Factor) ScaleOf(LoraLayerReader reader)
    {
        var scale = Told(reader);
        return float.IsFinite((float)scale.Factor) ? scale : throw new NonFiniteException(
            FormattableString.Invariant($"{_file}: the alpha of {reader.Target.Key} is {scale.Alpha}, beyond float32; the rank ")
            + FormattableString.Invariant($"({scale.Rank}) is usual."));
    }

    private (int Rank, double Alpha, double Factor) Told(LoraLayerReader reader)
    {
        var prefix = Prefix(reader.Target.Component);
        var path = _isPefts ? reader.Written : reader.Target.Path;
        var rank = RankOf(prefix, path, reader.Rank);
        // Two whole factors have no rank: LyCORIS and ComfyUI leave alpha out there, PEFT does not.
        if (reader.Alpha is { } stored)
            return reader.Rank == 0 ? (rank, rank, 1) : (rank, stored, stored / rank);
        if (_values is not { } values)
            return (rank, rank, 1);
        var alpha = Patterns($"{prefix}alpha_pattern").Find(path)
            ?? (values.Find($"{prefix}lora_alpha") ?? values.Find($"{prefix}alpha"))?.Number() ?? rank;
        return (rank, alpha, LoraConfig.FactorOf(alpha, rank, IsStabilised(prefix)));
    }

    /// <summary>The probability with which the inputs of a model's updates were left out in training; 0 where nothing is said.</summary>
    /// <param name="component">Prefix of the model.</param>
    /// <exception cref="LabException">The entry is no number.</exception>
    public double DropoutOf(string component) => _values?.Find($"{Prefix(component)}lora_dropout")?.Number() ?? 0;

    /// <summary>Settings that the tensors do not bear out.</summary>
    /// <param name="readers">What was read of the layers.</param>
    public IEnumerable<string> Contradictions(IEnumerable<LoraLayerReader> readers) => _values is not { } values ? []
        : readers.GroupBy(reader => Prefix(reader.Target.Component)).SelectMany(model => new LoraContradictions(values, model.Key).Of(
            [.. model], reader => Patterns($"{model.Key}rank_pattern").Find(_isPefts ? reader.Written : reader.Target.Path)
                ?? (values.Find($"{model.Key}r") is { Element.ValueKind: JsonValueKind.Number } rank ? rank.Number() : null)));

    /// <summary>Entries without effect.</summary>
    /// <param name="layers">The layers that are adapted: the model, the path in it, and the path as the file writes it.</param>
    /// <param name="assumesAlpha">Whether alphas are taken for ranks because the file's layout has them in metadata alone.</param>
    /// <returns>A sentence for each.</returns>
    public IEnumerable<string> Warnings(
        IReadOnlyCollection<(string Component, string Path, string Written)> layers, bool assumesAlpha)
    {
        if (_values is not { } values)
        {
            if (assumesAlpha && !IsOfARecipe())
            {
                yield return $"{_file} has no metadata: alpha is taken for the rank, as diffusers does. If it was trained with another "
                    + "alpha or with rank-stabilised scaling, it acts with another strength than it was trained with.";
            }

            yield break;
        }

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

    /// <summary>Writes the header entry of diffusers.</summary>
    /// <param name="layers">The updates; those of LyCORIS have their alphas beside the tensors.</param>
    /// <param name="header">The header's texts; one is added.</param>
    public static void Add(IEnumerable<LoraContent> layers, Dictionary<string, string> header)
    {
        var metadata = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal);
        var own = layers.Where(layer => layer.Variant is LoraVariant.Lora or LoraVariant.Dora);
        foreach (var group in own.GroupBy(layer => layer.Component))
        {
            foreach (var (key, value) in Settings([.. group]))
                metadata[$"{group.Key}.{key}"] = value;
        }

        if (metadata.Count > 0)
            header[HeaderKey] = new JsonObject(metadata).ToJsonString(new(JsonFile.Options) { WriteIndented = true });
    }

    /// <summary>PEFT's name for the kind of update, its <c>peft_type</c>.</summary>
    /// <param name="variant">What the tensors are.</param>
    public static string TypeOf(LoraVariant variant) => variant switch
    {
        LoraVariant.Loha => "LOHA",
        LoraVariant.Lokr => "LOKR",
        _ => "LORA",
    };

    /// <summary>PEFT's configuration of an adapter of one model.</summary>
    /// <param name="layers">The updates, all LoRA and DoRA, all LoHa, or all LoKr.</param>
    public static JsonObject Config(IReadOnlyList<LoraContent> layers)
    {
        if (layers[0].Variant is LoraVariant.Lora or LoraVariant.Dora)
            return new JsonObject(new SortedDictionary<string, JsonNode?>(Settings(layers), StringComparer.Ordinal));
        layers = [.. layers.Select(Ranked)];
        var first = layers[0];
        var config = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal);
        config["peft_type"] = TypeOf(first.Variant);
        config["alpha"] = Number(AlphaOf(first));
        config["init_weights"] = true;
        config["module_dropout"] = 0.0;
        config["rank_dropout"] = 0.0;
        AddLayers(config, layers, AlphaOf);
        if (first.Variant == LoraVariant.Lokr)
        {
            // The factor that was asked for is not in a file; where the first factors are squares of one size, that size gives the same.
            long[] sides = [.. layers.SelectMany(layer => new[] { Side(layer, "lokr_w1_a", 0), Side(layer, "lokr_w1_b", 1) }).Distinct()];
            config["decompose_both"] = layers.Any(layer => layer["lokr_w1_a"] is not null);
            config["decompose_factor"] = sides.Length == 1 ? sides[0] : -1;
        }

        return new JsonObject(config);

        // A factor that was folded away or is no alpha / rank is one here.
        static double AlphaOf(LoraContent layer) => layer.Factor * layer.Rank;

        // PEFT makes a factor whole where r is at least half of its larger side: the r of whole ones must be that large.
        static LoraContent Ranked(LoraContent layer) => !layer.IsWhole ? layer : layer with
        {
            Rank = Math.Max(layer.Rank, (int)((layer.Tensors.Max(factor => factor.shape.Max()) + 1) / 2)),
        };
        static long Side(LoraContent layer, string half, int axis) => (layer["lokr_w1"] ?? layer[half]!).shape[axis];
    }

    private static Dictionary<string, JsonNode?> Settings(IReadOnlyList<LoraContent> layers)
    {
        var first = layers[0];
        var isStabilised = layers.Any(layer => layer.Factor != layer.Alpha / layer.Rank);
        var settings = new Dictionary<string, JsonNode?>
        {
            ["peft_type"] = "LORA",
            ["lora_alpha"] = Number(AlphaOf(first)),
            ["lora_dropout"] = first.Dropout,
            ["lora_bias"] = layers.Any(layer => layer[LoraParts.Bias] is not null),
            ["use_dora"] = layers.Any(layer => layer.Variant == LoraVariant.Dora),
            ["use_rslora"] = isStabilised,
            ["bias"] = "none",
            ["init_lora_weights"] = "gaussian",
        };
        AddLayers(settings, layers, AlphaOf);
        return settings;

        // The setting is the whole model's: a layer whose factor is alpha / rank gets the alpha that means the same with it.
        double AlphaOf(LoraContent layer) => !isStabilised || layer.Factor == layer.Alpha / Math.Sqrt(layer.Rank)
            ? layer.Alpha : layer.Factor * Math.Sqrt(layer.Rank);
    }

    private static void AddLayers(
        IDictionary<string, JsonNode?> settings, IReadOnlyList<LoraContent> layers, Func<LoraContent, double> alpha)
    {
        settings["r"] = layers[0].Rank;
        settings["target_modules"] = new JsonArray([.. layers.Select(layer => (JsonNode?)JsonValue.Create(layer.Path))]);
        settings["rank_pattern"] = Pattern(layers, layer => layer.Rank, layers[0].Rank);
        settings["alpha_pattern"] = Pattern(layers, alpha, alpha(layers[0]));
    }

    private static void RefuseOtherKinds(JsonField values)
    {
        foreach (var (name, value) in values.Entries())
        {
            var key = name[(name.LastIndexOf('.') + 1)..];
            var isOff = value.IsNull || value.Element.ValueKind == JsonValueKind.False;
            if (key.StartsWith("use_", StringComparison.Ordinal) && !isOff && !KnownUses.Contains(key))
                throw new LabException($"{values.Source} asks for another kind of LoRA ({value.Path}), which is not known here.");
            var text = value.IsText ? ShownText.Line(value.Text(), 40) : string.Empty;
            if (key == "peft_type" && !KnownTypes.Contains(value.Text(), StringComparer.OrdinalIgnoreCase))
                throw new LabException($"{values.Source} says that this is no LoRA but {text} ({value.Path}), which is not known here.");
            if (key == "init_lora_weights" && ChangedBases.Any(kind => text.StartsWith(kind, StringComparison.OrdinalIgnoreCase)))
            {
                throw new LabException(
                    $"{values.Source}: {value.Path} is {text}, which changes the model's own weights before training, so that the "
                    + "LoRA alone generates something else. Convert it to plain LoRA with PEFT "
                    + "(path_initial_model_for_weight_conversion).");
            }
        }
    }

    // The lab's own trainings wrote no header where alpha is the rank; their recipe lies beside the file, or above a checkpoint's folder.
    private bool IsOfARecipe()
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(_file))!;
        return new[] { folder, Path.GetDirectoryName(folder) }.Any(place => File.Exists(Path.Combine(place ?? folder, RecipeName)));
    }

    private string Prefix(string component) => _isPefts ? string.Empty : $"{component}.";

    private LoraPatterns Patterns(string name)
    {
        if (!_patterns.TryGetValue(name, out var patterns))
            _patterns[name] = patterns = LoraPatterns.Read(_values?.Find(name));
        return patterns;
    }

    private int RankOf(string prefix, string path, int rank)
    {
        if (rank > 0 || _values is not { } values)
            return Math.Max(rank, 1);
        return (int)(Patterns($"{prefix}rank_pattern").Find(path) ?? values.Find($"{prefix}r")?.Int(1) ?? 1);
    }

    private bool IsStabilised(string prefix) => _values?.Find($"{prefix}use_rslora")?.Truth() ?? false;

    private static JsonObject Pattern(IEnumerable<LoraContent> layers, Func<LoraContent, double> value, double usual) =>
        new(layers.Where(layer => value(layer) != usual)
            .Select(layer => new KeyValuePair<string, JsonNode?>(layer.Path, Number(value(layer)))));

    private static JsonValue Number(double value) => double.IsInteger(value) ? JsonValue.Create((long)value) : JsonValue.Create(value);
}
