using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;

namespace Dreambooth.Lab.Sweeps;

/// <summary>What varies in a sweep and what does not: every combination of the lists is one picture (<see cref="Sweep.Cross"/>).</summary>
public sealed record SweepAxes
{
    /// <summary>The prompts, at least one.</summary>
    public required IReadOnlyList<string> Prompts { get; init; }

    /// <summary>The seeds, at least one. Default: 0 alone.</summary>
    public IReadOnlyList<ulong> Seeds { get; init; } = [0];

    /// <summary>
    /// Offset of each prompt's seeds from those of the prompt before: 0 (the default) gives all prompts the same noise, 1 counts up as
    /// <c>generate</c> does.
    /// </summary>
    public ulong SeedStride { get; init; }

    /// <summary>The LoRA with their weights, at least one; null stands for the model as it is, which is the default.</summary>
    public IReadOnlyList<WeightedLora?> Loras { get; init; } = [null];

    /// <summary>The guidance scales, at least one. Default: 7 alone.</summary>
    public IReadOnlyList<double> Guidances { get; init; } = [7.0];

    /// <summary>The samplers, at least one. Default: Euler alone.</summary>
    public IReadOnlyList<SamplerKind> Samplers { get; init; } = [SamplerKind.Euler];

    /// <summary>The spacings of noise levels, at least one. Default: the model's own alone.</summary>
    public IReadOnlyList<SigmaSchedule> Sigmas { get; init; } = [SigmaSchedule.Model];

    /// <summary>Denoising steps of every picture. Default 28.</summary>
    public int Steps { get; init; } = 28;

    /// <summary>Width of every picture in pixels; null for the model's own.</summary>
    public int? Width { get; init; }

    /// <summary>Height of every picture in pixels; null for the model's own.</summary>
    public int? Height { get; init; }

    /// <summary>What no picture should show; null for the empty text.</summary>
    public string? NegativePrompt { get; init; }

    /// <summary>The group that the pictures belong to; a label alone.</summary>
    public string Family { get; init; } = string.Empty;

    /// <summary>
    /// All combinations: prompt by prompt, then LoRA, guidance, sampler, noise levels and seed. The column names what varies beside the
    /// prompt.
    /// </summary>
    internal IEnumerable<SweepItem> Items() =>
        from prompt in Prompts.Select((text, index) => (text, index))
        from lora in Loras
        from guidance in Guidances
        from sampler in Samplers
        from sigmas in Sigmas
        from seed in Seeds.Select((value, index) => (value, index))
        select new SweepItem
        {
            Prompt = prompt.text,
            NegativePrompt = NegativePrompt,
            Seed = seed.value + (SeedStride * (ulong)prompt.index),
            Lora = lora?.Path,
            LoraScale = lora?.Weight ?? 1.0,
            Guidance = guidance,
            Steps = Steps,
            Sampler = sampler,
            Sigmas = sigmas,
            Width = Width,
            Height = Height,
            Family = Family,
            Column = Label(lora, guidance, sampler, sigmas, seed.index),
        };

    private string Label(
        WeightedLora? lora, double guidance, SamplerKind sampler, SigmaSchedule sigmas, int seedIndex)
    {
        var parts = new List<string>();
        if (Loras.Count > 1)
            parts.Add(lora is null ? "no LoRA" : LoraLabel(lora));
        if (Guidances.Count > 1)
            parts.Add(FormattableString.Invariant($"guidance {guidance:0.##}"));
        if (Samplers.Count > 1)
            parts.Add(EnumNames.Of(sampler));
        if (Sigmas.Count > 1)
            parts.Add($"{EnumNames.Of(sigmas)} levels");
        if (Seeds.Count > 1)
            parts.Add(SeedStride == 0 ? $"seed {Seeds[seedIndex]}" : $"picture {seedIndex + 1}");
        return string.Join(", ", parts);
    }

    private string LoraLabel(WeightedLora lora)
    {
        var name = Loras.OfType<WeightedLora>().Select(other => other.Path).Distinct().Count() > 1
            ? Path.GetFileNameWithoutExtension(lora.Path.TrimEnd('/', '\\')) + " "
            : string.Empty;
        return FormattableString.Invariant($"{name}LoRA {lora.Weight:0.##}");
    }
}
