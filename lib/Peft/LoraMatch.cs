using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Layers;

namespace Dreambooth.Lab.Peft;

/// <summary>Finds the layers of a model that an adapter's settings name.</summary>
internal static class LoraMatch
{
    /// <summary>The layers of several models.</summary>
    /// <param name="components">The models with their settings.</param>
    /// <exception cref="LabException">A setting is not valid, or no layer is what one names.</exception>
    public static List<LoraAdapter.Slot> Slots(IEnumerable<(LoraComponent Component, LoraConfig Config)> components)
    {
        var models = components.ToList();
        var slots = models.SelectMany(model => Slots(model.Component, model.Config)).ToList();
        string[] paths = [.. slots.Select(slot => slot.Path)];
        string[] unmatched = [.. models.SelectMany(model => new LoraLayerRanks(model.Config).WithoutMatch(paths)).Distinct()];
        return unmatched.Length == 0 ? slots : throw new LabException(
            $"{string.Join(" and ", unmatched)} matches no layer that gets LoRA; such layers are {ShownText.Names(paths)}.");
    }

    /// <summary>The layers, in the model's order.</summary>
    /// <param name="component">The model.</param>
    /// <param name="config">Targets, variant and rank.</param>
    /// <exception cref="LabException">A setting is not valid, or the model has no such layer or block.</exception>
    public static IEnumerable<LoraAdapter.Slot> Slots(LoraComponent component, LoraConfig config)
    {
        config.Validate();
        var linears = component.Module.named_modules().Where(entry => entry.module is LoraLinear).ToList();
        var unmatched = config.TargetModules.Where(target => !linears.Exists(entry => LoraConfig.IsAt(entry.name, target))).ToList();
        if (unmatched.Count > 0)
        {
            throw new LabException(
                $"No layer of {component.Prefix} matches the LoRA target{(unmatched.Count > 1 ? "s" : string.Empty)} "
                + $"{string.Join(", ", unmatched)}. "
                + "Layers end in: "
                + $"{string.Join(", ", linears.Select(entry => LastParts(entry.name)).Distinct().Order(StringComparer.Ordinal))}.");
        }

        var targets = linears.Where(entry => config.Targets(entry.name)).ToList();
        if (config.Blocks?.FirstOrDefault(block => !targets.Exists(entry => LoraConfig.IsIn(entry.name, block)), -1) is { } empty and >= 0)
            throw new LabException(
                $"Block {empty} of {component.Prefix} has none of the LoRA targets {string.Join(", ", config.TargetModules)}; blocks count "
                + $"from 0{LastBlock(linears.Select(entry => entry.name))}.");
        var ranks = new LoraLayerRanks(config);
        return targets.Select(entry => SlotOf(component, entry.name, (LoraLinear)entry.module, ranks.At(entry.name)));
    }

    // Two whole factors have no rank that alpha could be divided by, as LyCORIS has it.
    private static LoraAdapter.Slot SlotOf(LoraComponent component, string path, LoraLinear linear, LoraConfig config)
    {
        config.Validate();
        var parts = LoraParts.For(config, linear.OutFeatures, linear.InFeatures);
        var (alpha, factor) = parts.IsWhole ? (config.Rank, 1) : (config.Alpha, config.Factor);
        return new(component.Prefix, path, linear, parts, config.Rank, alpha, factor, config.LoraDropout);
    }

    private static string LastBlock(IEnumerable<string> paths)
    {
        int[] blocks =
            [.. paths.Select(path => path.Split('.')).Where(parts => parts[0] == "transformer_blocks")
                .Select(parts => int.Parse(parts[1], CultureInfo.InvariantCulture))];
        return blocks.Length == 0 ? string.Empty : $" to {blocks.Max()}";
    }

    private static string LastParts(string path)
    {
        var parts = path.Split('.').SkipWhile(part => !int.TryParse(part, out _)).Skip(1).ToArray();
        return parts.Length == 0 ? path : string.Join('.', parts);
    }
}
