using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Sweeps;

/// <summary>A property by which the pictures of a sweep are arranged in rows or columns of a grid or table, and its name.</summary>
/// <param name="Name">What it is, such as "prompt".</param>
/// <param name="LabelOf">A picture's place on it, as a reader sees it; empty where it makes no difference.</param>
public sealed record SweepAxis(string Name, Func<SweepItem, string> LabelOf)
{
    /// <summary>The prompt.</summary>
    public static SweepAxis Prompt { get; } = new("prompt", item => item.Prompt);

    /// <summary>The prompt without what all prompts share, so that what differs can be read at a glance.</summary>
    /// <param name="shared">Texts that are left out, such as "a photo of gmc cat"; a prompt of nothing else stays whole.</param>
    public static SweepAxis PromptWithout(params string[] shared)
    {
        ArgumentNullException.ThrowIfNull(shared);
        return new SweepAxis("prompt", item =>
        {
            var text = shared.Aggregate(
                item.Prompt, (rest, part) => part.Length == 0 ? rest : rest.Replace(part, " ", StringComparison.Ordinal));
            text = string.Join(' ', text.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            return text.Length == 0 ? item.Prompt : text;
        });
    }

    /// <summary>The seed of the noise.</summary>
    public static SweepAxis Seed { get; } = new("seed", item => $"seed {item.Seed}");

    /// <summary>Classifier-free guidance.</summary>
    public static SweepAxis Guidance { get; } = new(
        "guidance", item => string.Create(CultureInfo.InvariantCulture, $"guidance {item.Guidance:0.##}"));

    /// <summary>The sampler.</summary>
    public static SweepAxis Sampler { get; } = new("sampler", item => EnumNames.Of(item.Sampler));

    /// <summary>The spacing of the noise levels.</summary>
    public static SweepAxis Sigmas { get; } = new("noise levels", item => EnumNames.Of(item.Sigmas));

    /// <summary>What refines guidance; "plain guidance" for nothing.</summary>
    public static SweepAxis GuidanceDetails { get; } = new("guidance details", item => Describe(item.GuidanceDetails ?? new()));

    /// <summary>The blocks of skip-layer guidance.</summary>
    public static SweepAxis SkipGuidanceLayers { get; } = new(
        "skipped layers", item => item.SkipGuidanceLayers is { } layers ? $"without layers {layers}" : "all layers");

    /// <summary>How often the transformer's blocks run.</summary>
    public static SweepAxis CacheInterval { get; } = new(
        "cache interval", item => item.CacheInterval == 1 ? "exact" : $"blocks in every {item.CacheInterval}. step");

    /// <summary>How much of a picture is made anew; empty where it began from noise.</summary>
    public static SweepAxis Strength { get; } = new(
        "strength", item => item.Strength is { } strength ? string.Create(CultureInfo.InvariantCulture, $"strength {strength:0.##}") : "");

    /// <summary>How strongly the LoRA acts; "no LoRA" for the model as it is.</summary>
    public static SweepAxis LoraScale { get; } = new(
        "LoRA scale", item => item.Lora is null ? "no LoRA" : string.Create(CultureInfo.InvariantCulture, $"LoRA × {item.LoraScale:0.##}"));

    /// <summary>"before" for the model as it is, "after" with a LoRA of any scale.</summary>
    public static SweepAxis BeforeAfter { get; } = new("training", item => item.Lora is null ? "before" : "after");

    /// <summary>Which stage of its training the LoRA is (<see cref="LoraCheckpoints.Name"/>); "no LoRA" for the model as it is.</summary>
    public static SweepAxis Stage { get; } = new("stage", item => item.Lora is null ? "no LoRA" : LoraCheckpoints.Name(item.Lora));

    /// <summary>LoRA scale and guidance together.</summary>
    public static SweepAxis Setting { get; } = new("setting", item => $"{LoraScale.LabelOf(item)}, {Guidance.LabelOf(item)}");

    /// <summary>What the picture should not show.</summary>
    public static SweepAxis NegativePrompt { get; } = new(
        "negative prompt", item => item.NegativePrompt is { Length: > 0 } text ? $"not: {text}" : "no negative prompt");

    /// <summary>The column that the item names itself: all that varies beside the prompt.</summary>
    public static SweepAxis Column { get; } = new("column", item => item.Column);

    private static string Describe(GuidanceConfig details)
    {
        string[] parts =
        [
            details.Start == 0 && details.End == 1 ? string.Empty
                : string.Create(CultureInfo.InvariantCulture, $"guided {details.Start:0.##}–{details.End:0.##}"),
            details.Rescale == 0 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"rescale {details.Rescale:0.##}"),
            details.ZeroStar ? "CFG-Zero*" : string.Empty,
            details.PerturbedLayers is not { } layers ? string.Empty
                : string.Create(CultureInfo.InvariantCulture, $"perturbed {layers} × {details.PerturbedScale:0.##}"),
        ];
        return string.Join(", ", parts.Where(part => part.Length > 0)) is { Length: > 0 } text ? text : "plain guidance";
    }

    /// <summary>The number that <see cref="LoraScale"/> shows; 0 for the model as it is.</summary>
    /// <param name="item">A picture's settings.</param>
    public static double ScaleOf(SweepItem item) => item?.Lora is null ? 0 : item.LoraScale;
}
