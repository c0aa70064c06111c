using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
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

    /// <summary>Refinements of guidance, at least one; a new <see cref="GuidanceConfig"/>, the default, is none.</summary>
    public IReadOnlyList<GuidanceConfig> GuidanceDetails { get; init; } = [new()];

    /// <summary>
    /// Blocks of skip-layer guidance, as <c>7,8,9</c> for the published models, at least one entry; null, the default, is none.
    /// </summary>
    public IReadOnlyList<string?> SkipGuidanceLayers { get; init; } = [null];

    /// <summary>The transformer's blocks run in every this many-th step, at least one entry; 1, the default, is exact.</summary>
    public IReadOnlyList<int> CacheIntervals { get; init; } = [1];

    /// <summary>What pictures should not show, in the place of <see cref="NegativePrompt"/>; empty, the default, for that one.</summary>
    public IReadOnlyList<string?> NegativePrompts { get; init; } = [];

    /// <summary>The file of the picture to begin from; null: begin from noise.</summary>
    public string? Image { get; init; }

    /// <summary>With <see cref="Image"/>: the mask's file, or <c>alpha</c>; null: everything is made anew.</summary>
    public string? Mask { get; init; }

    /// <summary>With <see cref="Image"/>: how much is made anew, above 0 to 1, at least one entry. Default 0.6 alone.</summary>
    public IReadOnlyList<double> Strengths { get; init; } = [GenerationRequest.DefaultStrength];

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
    /// All combinations: prompt by prompt, then LoRA, guidance, sampler, noise levels, what refines guidance, and seed. The column names
    /// what varies beside the prompt.
    /// </summary>
    internal IEnumerable<SweepItem> Items() =>
        from prompt in Prompts.Select((text, index) => (text, index))
        from lora in Loras
        from guidance in Guidances
        from sampler in Samplers
        from sigmas in Sigmas
        from details in GuidanceDetails
        from skipped in SkipGuidanceLayers
        from interval in CacheIntervals
        from negative in NegativePrompts.Count == 0 ? [NegativePrompt] : NegativePrompts
        from strength in Image is null ? [0] : Strengths
        from seed in Seeds.Select((value, index) => (value, index))
        let item = new SweepItem
        {
            Prompt = prompt.text,
            NegativePrompt = negative,
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
            GuidanceDetails = details == new GuidanceConfig() ? null : details,
            SkipGuidanceLayers = skipped,
            CacheInterval = interval,
            Image = Image,
            Mask = Image is null ? null : Mask,
            Strength = Image is null ? null : strength,
        }
        select item with { Column = Label(item, lora, seed.index) };

    private string Label(SweepItem item, WeightedLora? lora, int seedIndex)
    {
        var parts = new List<string>();
        if (Loras.Count > 1)
            parts.Add(lora is null ? "no LoRA" : LoraLabel(lora));
        (int Count, SweepAxis Axis)[] more =
        [
            (Guidances.Count, SweepAxis.Guidance), (Samplers.Count, SweepAxis.Sampler), (GuidanceDetails.Count, SweepAxis.GuidanceDetails),
            (SkipGuidanceLayers.Count, SweepAxis.SkipGuidanceLayers), (CacheIntervals.Count, SweepAxis.CacheInterval),
            (NegativePrompts.Count, SweepAxis.NegativePrompt), (Strengths.Count, SweepAxis.Strength),
        ];
        parts.AddRange(more.Where(entry => entry.Count > 1).Select(entry => entry.Axis.LabelOf(item)).Where(label => label.Length > 0));
        if (Sigmas.Count > 1)
            parts.Add($"{EnumNames.Of(item.Sigmas)} levels");
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
