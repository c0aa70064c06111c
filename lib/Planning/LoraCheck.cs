using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Planning;

/// <summary>The layers that a training puts LoRA on, by kind, from a model's configuration files.</summary>
internal static class LoraCheck
{
    private static readonly string[] Encoders = ["text_encoder", "text_encoder_2"];

    /// <summary>Makes the check.</summary>
    /// <param name="config">The training.</param>
    /// <param name="model">The model's sizes.</param>
    public static PreflightCheck Of(DreamBoothConfig config, ModelArchitecture model)
    {
        const string Subject = "LoRA";
        List<(string Part, LoraConfig Lora)> parts = [("transformer", config.TransformerLora())];
        if (config.TrainTextEncoder)
            parts.AddRange(Encoders.Select(name => (name, config.TextEncoderLora())));
        List<string> details = [];
        var (layers, numbers) = (0, 0L);
        foreach (var (part, lora) in parts)
        {
            var all = model.LoraLayers(part, lora);
            if (Complaint(part, lora, [.. all.Select(layer => layer.Path)]) is { } complaint)
                return new(Subject, PreflightStatus.Problem, complaint);
            var kinds = all.Where(layer => lora.Targets(layer.Path)).GroupBy(layer => Kind(layer.Path), StringComparer.Ordinal);
            foreach (var kind in kinds)
            {
                var (count, sum) = (kind.Count(), kind.Sum(layer => layer.Numbers));
                details.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{part} {kind.Key}: {count} layer{(count == 1 ? string.Empty : "s")}, {sum:N0} numbers"));
                (layers, numbers) = (layers + count, numbers + sum);
            }
        }

        return new(
            Subject, PreflightStatus.Ok, string.Create(
                CultureInfo.InvariantCulture,
                $"{Flag.Format(config.LoraVariant)} of rank {config.Rank} on {layers} layers of {details.Count} kinds, {numbers:N0} "
                + $"numbers{(config.InitLora is null ? string.Empty : $", as in {ProjectFolder.Near(config.InitLora)}")}"))
        { Details = details };
    }

    private static string? Complaint(string part, LoraConfig lora, List<string> paths)
    {
        var without = lora.TargetModules.Where(target => !paths.Exists(path => LoraConfig.IsAt(path, target))).ToList();
        if (without.Count > 0)
        {
            return $"No layer of {part} ends in {ShownText.Names(without)}; layers end in "
                + $"{string.Join(", ", paths.Select(Kind).Distinct().Order(StringComparer.Ordinal))}.";
        }

        var empty = lora.Blocks?.Where(block => !paths.Exists(path => LoraConfig.IsIn(path, block) && lora.Targets(path))).ToList() ?? [];
        return empty.Count == 0 ? null
            : $"Block {empty[0]} of {part} has none of the layers {ShownText.Names([.. lora.TargetModules])}; blocks count from 0.";
    }

    // What stands behind a block's number: transformer_blocks.3.attn.to_q is an attn.to_q.
    private static string Kind(string path)
    {
        var parts = path.Split('.').SkipWhile(part => !int.TryParse(part, out _)).Skip(1).ToArray();
        return parts.Length == 0 ? path : string.Join('.', parts);
    }
}
