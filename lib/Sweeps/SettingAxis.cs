using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Sweeps;

/// <summary>A setting of <c>generate</c> that takes several values in one run: <c>--axis NAME=VALUE,VALUE</c>.</summary>
/// <param name="Flag">The setting.</param>
/// <param name="Values">Its values, at least one.</param>
internal sealed record SettingAxis(Flag Flag, IReadOnlyList<object?> Values)
{
    private const int MostVariants = 1000;
    private const string Form =
        "valid is NAME=VALUE,VALUE with a setting's name, as guidance=3,5,7.5; where a value has a comma, | stands between them";

    // What changes neither the prompts nor what is loaded.
    private static readonly string[] Names =
    [
        "guidance", "guidance_start", "guidance_end", "guidance_rescale", "cfg_zero_star", "zero_steps", "sampler", "sigmas",
        "truncate_timesteps", "num_steps", "cache_interval", "cache_order", "negative_prompt", "strength", "lora_scale", "clip_skip",
        "skip_guidance_layers", "skip_layer_guidance_scale", "skip_layer_guidance_start", "skip_layer_guidance_stop",
        "perturbed_layers", "perturbed_scale", "height", "width",
    ];

    /// <summary>Every combination of the values of a configuration's axes, the last axis fastest.</summary>
    /// <param name="config">The options; without an axis they are the only combination.</param>
    /// <returns>Options without axes.</returns>
    /// <exception cref="LabException">An axis is not of that form, is no such setting, or is there twice.</exception>
    public static IReadOnlyList<GenerateConfig> Variants(GenerateConfig config)
    {
        SettingAxis[] axes = [.. config.Axis.Select(Parse)];
        if (axes.GroupBy(axis => axis.Flag).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new LabException($"axis has {twice.Key.Name} twice; give all its values at once.");
        if (config.Lora.Count == 0 && Array.Exists(axes, axis => axis.Flag.Name == "lora_scale"))
            throw new LabException("axis has lora_scale, which needs a LoRA: give lora.");
        if (config.NegativePromptsFile is not null && Array.Exists(axes, axis => axis.Flag.Name == "negative_prompt"))
            throw new LabException("axis has negative_prompt, and negative_prompts_file is given; give one of them.");
        var count = axes.Aggregate(1L, (product, axis) => Math.Min(product * axis.Values.Count, int.MaxValue));
        if (count > MostVariants)
            throw new LabException($"axis has {count} combinations; at most {MostVariants} are made in a run.");
        IEnumerable<Dictionary<Flag, object?>> all =
            [GenerateConfig.Flags.All.ToDictionary(flag => flag, flag => flag.Property.GetValue(config))];
        all = axes.Aggregate(all, (before, axis) => before.SelectMany(values => axis.Values.Select(value =>
            new Dictionary<Flag, object?>(values) { [axis.Flag] = value })));
        return [.. all.Select(values => GenerateConfig.Flags.Build(values) with { Axis = [] })];
    }

    private static SettingAxis Parse(string text)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0)
            throw new LabException($"axis is '{ShownText.Line(text)}'; {Form}.");
        var (name, list) = (text[..at].Trim(), text[(at + 1)..]);
        if (GenerateConfig.Flags.Find(name) is not { } flag || !Names.Contains(flag.Name))
        {
            throw new LabException(
                $"axis has '{ShownText.Line(name)}', which cannot vary within a run; " + (name == "seed"
                    ? "num_images has every prompt with as many seeds."
                    : $"nearest are {string.Join(", ", NearestNames.Of(name, Names))}."));
        }

        string[] texts = list.Split(list.Contains('|', StringComparison.Ordinal) ? '|' : ',');
        object?[] values = [.. texts.Select(value => string.IsNullOrWhiteSpace(value) ? Nothing(flag) : flag.Parse([value.Trim()]))];
        return values.Distinct().Count() == values.Length ? new SettingAxis(flag, values)
            : throw new LabException($"axis has a value of {flag.Name} twice: '{ShownText.Line(list)}'.");
    }

    // Of texts nothing is a value: no negative prompt, no layers.
    private static object? Nothing(Flag flag) => flag.Property.PropertyType == typeof(string) ? null
        : throw new LabException($"axis has an empty value of {flag.Name}; {Form}.");
}
