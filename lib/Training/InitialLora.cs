using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Training;

/// <summary>What <c>--init_lora</c> makes of a configuration: rank, alpha, variant and layers are those of the file.</summary>
internal static class InitialLora
{
    private const string Transformer = "transformer";
    private const string Blocks = "transformer_blocks.";

    /// <summary>A configuration with the settings of the LoRA that its training begins with, and the file's fingerprint.</summary>
    /// <param name="config">The training.</param>
    /// <param name="checkpoint">
    /// What it goes on from, or null. The file is not needed any more then: the checkpoint's LoRA has the same layers.
    /// </param>
    /// <exception cref="LabException">The file is missing, damaged or another one, or an option says otherwise than the file.</exception>
    public static DreamBoothConfig Take(DreamBoothConfig config, TrainingCheckpoint? checkpoint)
    {
        var earlier = checkpoint?.State!.Config();
        if (earlier?.InitLora is { } began && (config.InitLora is null || RealPath.AreSame(config.InitLora, began)))
        {
            config = config with { InitLora = began, InitLoraSha256 = config.InitLoraSha256 ?? earlier.InitLoraSha256 };
            return From(config, Path.Combine(checkpoint!.Folder, LoraFile.DefaultName));
        }

        if (config.InitLora is not { } asked)
            return config;
        var file = LoraFile.Resolve(asked);
        var hash = FileHash.Sha256(file);
        if (config.InitLoraSha256 is { } wanted && !wanted.Equals(hash, StringComparison.OrdinalIgnoreCase))
        {
            throw new LabException(
                $"init_lora_sha256 is {wanted.ToLowerInvariant()}, and {file} has {hash}: it is another LoRA than the recipe was made "
                + "with. Leave init_lora_sha256 out to begin with this one.");
        }

        return From(config with { InitLoraSha256 = hash }, file);
    }

    /// <summary>The same for a plan, where there may be no file yet; what goes on has the LoRA of its checkpoint.</summary>
    /// <param name="config">The training.</param>
    /// <exception cref="LabException">The file is damaged or another one, or an option says otherwise than the file.</exception>
    public static DreamBoothConfig Planned(DreamBoothConfig config)
    {
        TrainingCheckpoint? checkpoint = null;
        try
        {
            checkpoint = TrainingCheckpoint.Find(config);
        }
        catch (LabException)
        {
            // The training says what is wrong with it.
        }

        return checkpoint is not null || (config.InitLora is { } path && (File.Exists(path) || Directory.Exists(path)))
            ? Take(config, checkpoint) : config;
    }

    private static DreamBoothConfig From(DreamBoothConfig config, string file)
    {
        var layers = LoraOutline.Read(file);
        var models = layers.ToLookup(layer => layer.Component == Transformer);
        LoraOutline[] shown = [.. models[models[true].Any()]];
        var (rank, variant) = (Usual(shown, layer => layer.Rank), Usual(shown, layer => layer.Variant));
        var alpha = Usual(shown, layer => layer.Alpha);
        var isStabilised = shown.All(layer => layer.Factor == layer.Alpha / Math.Sqrt(layer.Rank))
            && shown.Any(layer => layer.Factor != layer.Alpha / layer.Rank);
        var hasBias = shown.Any(layer => layer.HasBias);
        var plain = new DreamBoothConfig { PretrainedModelNameOrPath = string.Empty, InstanceDataDir = string.Empty, InstancePrompt = "" };

        // An option at its default cannot be told from one that is not given.
        Same("rank", config.Rank, rank, config.Rank == plain.Rank);
        Same("lora_alpha", config.LoraAlpha ?? alpha, alpha, config.LoraAlpha is null);
        Same("lora_variant", Flag.Format(config.LoraVariant), Flag.Format(variant), config.LoraVariant == plain.LoraVariant);
        Same("use_rslora", config.UseRslora, isStabilised, !config.UseRslora || shown.All(layer => layer.Rank == 1));
        Same("lora_bias", config.LoraBias, hasBias, !config.LoraBias);
        CheckTargets(config, [.. models[true].Select(layer => layer.Path)], file);
        config = config with
        {
            Rank = rank,
            LoraAlpha = alpha == rank ? null : alpha,
            LoraVariant = variant,
            UseRslora = isStabilised,
            LoraBias = hasBias,
            LoraLayers = models[true].Any() ? LayersOf(models[true]) : config.LoraLayers,
            LoraBlocks = models[true].Any() ? BlocksOf(models[true]) : config.LoraBlocks,
            TrainTextEncoder = config.TrainTextEncoder || models[false].Any(),
        };
        CheckPatterns(config, layers, file);
        return config;

        void Same<T>(string name, T asked, T there, bool isFree)
        {
            if (!isFree && !Equals(asked, there))
                throw Other(name, string.Create(CultureInfo.InvariantCulture, $"{asked}"),
                    string.Create(CultureInfo.InvariantCulture, $"{there}"), file);
        }
    }

    private static void CheckTargets(DreamBoothConfig config, string[] paths, string file)
    {
        if (paths.Length == 0)
            return;
        var layers = config.LoraLayerNames;
        if (layers is not null && (layers.Any(layer => !paths.Any(path => LoraConfig.IsAt(path, layer)))
            || paths.Any(path => !layers.Any(layer => LoraConfig.IsAt(path, layer)))))
            throw Other("lora_layers", config.LoraLayers!, string.Join(",", Names(paths)), file);
        int[] there = [.. paths.Select(BlockOf).OfType<int>().Distinct().Order()];
        if (config.LoraBlockNumbers is { } blocks && !blocks.Distinct().Order().SequenceEqual(there))
            throw Other("lora_blocks", config.LoraBlocks!, string.Join(",", there), file);
    }

    // A recipe's patterns may stay where the file's layers are as they say.
    private static void CheckPatterns(DreamBoothConfig config, IReadOnlyList<LoraOutline> layers, string file)
    {
        if (config.RankPattern is null && config.AlphaPattern is null)
            return;
        var ranks = new LoraLayerRanks(config.TransformerLora());
        foreach (var layer in layers)
        {
            var wanted = ranks.At(layer.Path);
            if (wanted.Rank != layer.Rank || wanted.Alpha != layer.Alpha)
            {
                var name = config.RankPattern is null ? "alpha_pattern" : "rank_pattern";
                throw new LabException(
                    FormattableString.Invariant($"{name} asks for rank {wanted.Rank} and alpha {wanted.Alpha} of {layer.Component}.")
                    + FormattableString.Invariant($"{layer.Path}, and the LoRA of init_lora, {file}, has {layer.Rank} and {layer.Alpha} ")
                    + "there. Leave the patterns out: each layer has the file's.");
            }
        }
    }

    private static LabException Other(string name, string asked, string there, string file) => new(
        $"{name} is {ShownText.Line(asked)}, and the LoRA of init_lora, {file}, has {ShownText.Line(there)}. Leave {name} out: it is "
        + $"taken from the file{(name is "rank" ? "; `lora resize` changes it" : string.Empty)}.");

    private static string? LayersOf(IEnumerable<LoraOutline> layers)
    {
        var names = Names(layers.Select(layer => layer.Path));
        return names.Order(StringComparer.Ordinal).SequenceEqual(LoraConfig.TransformerTargets.Order(StringComparer.Ordinal))
            ? null : string.Join(",", names);
    }

    // Blocks from 0 on without a gap are all blocks, or a part of them that no model is needed to tell apart.
    private static string? BlocksOf(IEnumerable<LoraOutline> layers)
    {
        int[] blocks = [.. layers.Select(layer => BlockOf(layer.Path)).OfType<int>().Distinct().Order()];
        return blocks.Length == 0 || blocks[^1] == blocks.Length - 1 ? null : string.Join(",", blocks);
    }

    private static string[] Names(IEnumerable<string> paths) =>
    [
        .. paths.Select(path => BlockOf(path) is { } block ? path[$"{Blocks}{block}.".Length..] : path).Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal),
    ];

    private static int? BlockOf(string path) => path.StartsWith(Blocks, StringComparison.Ordinal)
        && int.TryParse(path[Blocks.Length..].Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var block) ? block : null;

    private static T Usual<T>(IEnumerable<LoraOutline> layers, Func<LoraOutline, T> of) =>
        layers.GroupBy(of).OrderByDescending(group => group.Count()).ThenByDescending(group => group.Key).First().Key;
}
