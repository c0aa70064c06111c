using System.Text.Json.Serialization;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;

namespace Dreambooth.Lab.Sweeps;

/// <summary>One picture of a sweep: its settings, and the labels it is shown under.</summary>
public sealed record SweepItem
{
    /// <summary>What the picture shows.</summary>
    public required string Prompt { get; init; }

    /// <summary>What it should not show; null for the empty text.</summary>
    public string? NegativePrompt { get; init; }

    /// <summary>Seed of its noise; independent of the rest of its batch.</summary>
    public ulong Seed { get; init; }

    /// <summary>The LoRA file, or a folder that holds one; null for the model as it is.</summary>
    public string? Lora { get; init; }

    /// <summary>How strongly the LoRA acts; 1 (the default) as trained. Without effect where there is none.</summary>
    public double LoraScale { get; init; } = 1.0;

    /// <summary>Classifier-free guidance; up to 1 it is off. Default 7.</summary>
    public double Guidance { get; init; } = 7.0;

    /// <summary>Denoising steps, 1 or more. Default 28.</summary>
    public int Steps { get; init; } = 28;

    /// <summary>The transformer's blocks run in every this many-th step; 1 (the default) is exact.</summary>
    public int CacheInterval { get; init; } = 1;

    /// <summary>0 (the default) keeps what the blocks added between those steps, 1 extrapolates it.</summary>
    public int CacheOrder { get; init; }

    /// <summary>The sampler. Default Euler.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public SamplerKind Sampler { get; init; }

    /// <summary>The spacing of the noise levels. Default the model's own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public SigmaSchedule Sigmas { get; init; }

    /// <summary>Refinements of guidance; null for none.</summary>
    public GuidanceConfig? GuidanceDetails { get; init; }

    /// <summary>Blocks of skip-layer guidance, numbers from 0 separated by commas; null for none.</summary>
    public string? SkipGuidanceLayers { get; init; }

    /// <summary>The file of the picture to begin from; null: begin from noise.</summary>
    public string? Image { get; init; }

    /// <summary>With <see cref="Image"/>: the mask's file, or <c>alpha</c>; null: everything is made anew.</summary>
    public string? Mask { get; init; }

    /// <summary>With <see cref="Image"/>: how much is made anew, above 0 to 1; null: 0.6.</summary>
    public double? Strength { get; init; }

    /// <summary>Width in pixels; null for the model's own.</summary>
    public int? Width { get; init; }

    /// <summary>Height in pixels; null for the model's own.</summary>
    public int? Height { get; init; }

    /// <summary>The group that it belongs to, such as "art"; a label alone.</summary>
    public string Family { get; init; } = string.Empty;

    /// <summary>The column it is shown in, such as "before"; a label alone.</summary>
    public string Column { get; init; } = string.Empty;

    /// <summary>The same without labels: equal ones give equal pictures of one model.</summary>
    internal SweepItem Settings => this with { Family = string.Empty, Column = string.Empty };

    /// <summary>The same without what may differ inside a batch: equal ones can be generated together.</summary>
    internal SweepItem BatchKey => Settings with { Prompt = string.Empty, Seed = 0 };
}
