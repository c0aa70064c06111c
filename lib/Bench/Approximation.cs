using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Bench;

/// <summary>A way to generate pictures in less time than with all steps.</summary>
/// <param name="Name">Its short name, by which a row is chosen.</param>
/// <param name="Title">What it does.</param>
/// <param name="Steps">Its steps, of <see cref="ExactSteps"/>.</param>
/// <param name="CacheInterval">See <see cref="GenerationRequest.CacheInterval"/>.</param>
/// <param name="CacheOrder">See <see cref="GenerationRequest.CacheOrder"/>.</param>
internal sealed record Approximation(string Name, string Title, int Steps, int CacheInterval = 1, int CacheOrder = 0)
{
    /// <summary>The steps of the exact pictures: the default of diffusers' SD3 pipeline.</summary>
    public const int ExactSteps = 28;

    private static readonly GenerationRequest s_defaults = new() { Prompts = [] };

    /// <summary>What the others are compared with.</summary>
    public static Approximation Exact { get; } = new("exact", "28 steps, every one whole", ExactSteps);

    /// <summary>The faster ones.</summary>
    public static IReadOnlyList<Approximation> Faster { get; } =
    [
        new("steps-20", "20 steps", 20),
        new("steps-14", "14 steps", 14),
        new("steps-10", "10 steps", 10),
        new("cache-2", "blocks in every 2nd step, kept between", ExactSteps, 2),
        new("cache-3", "blocks in every 3rd step, kept between", ExactSteps, 3),
        new("cache-4", "blocks in every 4th step, kept between", ExactSteps, 4),
        new("cache-2-line", "blocks in every 2nd step, extrapolated between", ExactSteps, 2, 1),
        new("cache-3-line", "blocks in every 3rd step, extrapolated between", ExactSteps, 3, 1),
        new("cache-2-steps-20", "20 steps, blocks in every 2nd, kept between", 20, 2),
        new("fp8", "the blocks' products in 8 bits", ExactSteps) { Quantization = Quantization.Fp8 },
        new("fp8-cache-3", "products in 8 bits, blocks in every 3rd step, kept between", ExactSteps, 3) { Quantization = Quantization.Fp8 },
    ];

    /// <summary>See <see cref="PipelineOptions.Quantization"/>.</summary>
    public Quantization Quantization { get; init; }

    /// <summary>What refines guidance: other pictures, not faster ones.</summary>
    public static IReadOnlyList<Approximation> Guided { get; } =
    [
        Refined("interval-20-80", "guidance from 20 % to 80 % of the steps", new() { Start = 0.2, End = 0.8 }),
        Refined("rescale-70", "guidance rescaled, 0.7", new() { Rescale = 0.7 }),
        Refined("zero-star", "CFG-Zero*", new() { ZeroStar = true }),
        Refined("perturbed-1", "perturbed attention of block 1, scale 3", new() { PerturbedLayers = "1" }),
        Refined("perturbed-3", "perturbed attention of block 3, scale 3", new() { PerturbedLayers = "3" }),
        Refined("skip-3", "block 3 skipped in steps 1 to 5, scale 2.8", new()) with { SkipGuidanceLayers = "3" },
    ];

    /// <summary>Refinements of guidance; null for none.</summary>
    public GuidanceConfig? Guidance { get; init; }

    /// <summary>Blocks of skip-layer guidance, or null.</summary>
    public string? SkipGuidanceLayers { get; init; }

    /// <summary>Some of them.</summary>
    /// <param name="names">Names separated by commas; <c>faster</c> and <c>guided</c> stand for a whole list.</param>
    /// <exception cref="UsageException">There is no such name; the message has those that there are.</exception>
    public static IReadOnlyList<Approximation> Parse(string names)
    {
        var lists = new Dictionary<string, IReadOnlyList<Approximation>>(StringComparer.Ordinal)
        {
            ["faster"] = Faster,
            ["guided"] = Guided,
        };
        IReadOnlyList<Approximation> all = [.. Faster, .. Guided];
        return [.. names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).SelectMany(name =>
            lists.GetValueOrDefault(name) ?? all.Where(one => one.Name == name).DefaultIfEmpty().Select(one => one
                ?? throw new UsageException($"There is no setting '{name}'; there are {string.Join(", ", lists.Keys.Concat(
                    all.Select(other => other.Name)))}."))).Distinct()];
    }

    /// <summary>Rows of one picture that go through the transformer's blocks, with guidance.</summary>
    public int Rows => Enumerable.Range(0, Steps).Sum(RowsOf);

    /// <summary>How often the transformer's blocks run.</summary>
    public int WholeSteps => Enumerable.Range(0, Steps).Count(step => ResidualCache.RunsBlocks(step, CacheInterval, Steps));

    /// <summary>A picture's settings with this approximation.</summary>
    public SweepItem Of(SweepItem item) => item with
    {
        Steps = Steps,
        CacheInterval = CacheInterval,
        CacheOrder = CacheOrder,
        GuidanceDetails = Guidance,
        SkipGuidanceLayers = SkipGuidanceLayers,
    };

    /// <summary>A request's, in proportion to its own steps.</summary>
    public GenerationRequest Of(GenerationRequest request) => request with
    {
        NumInferenceSteps = Math.Max(1, request.NumInferenceSteps * Steps / ExactSteps),
        CacheInterval = CacheInterval,
        CacheOrder = CacheOrder,
    };

    private static Approximation Refined(string name, string title, GuidanceConfig guidance) =>
        new(name, title, ExactSteps) { Guidance = guidance };

    private int RowsOf(int step)
    {
        var guidance = Guidance ?? new();
        if (!ResidualCache.RunsBlocks(step, CacheInterval, Steps) || (guidance.ZeroStar && step < guidance.ZeroSteps))
            return 0;
        var skips = SkipGuidanceLayers is not null && s_defaults.SkipsLayersAt(step, Steps);
        return (guidance.GuidesAt(step, Steps) ? 2 : 1) + (guidance.PerturbedLayers is null ? 0 : 1) + (skips ? 1 : 0);
    }
}
